// SPDX-License-Identifier: Apache-2.0
import {
  CLUSTER_GOVERNANCE_POLICIES,
  CLUSTER_SANDBOX_TEMPLATES,
  GOVERNANCE_POLICIES,
} from '@agenttier/crds/meta/resources';
import { errorFromResponse } from '@agenttier/machinery/kube/errors';
import { EVENTS } from '@agenttier/machinery/kube/resource';
import type { KubeObject } from '@agenttier/machinery/kube/resource';
import { statusBody } from '@agenttier/machinery/testing/scriptedServer';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ADMIN_KEY, BOB_KEY, Harness } from '../../testing/harness.ts';

let harness: Harness;

beforeEach(async () => {
  harness = await Harness.start();
});
afterEach(() => harness.stop());

const put = (resource: typeof GOVERNANCE_POLICIES | typeof CLUSTER_GOVERNANCE_POLICIES, body: object) =>
  harness.api.create(resource, resource.namespaced ? 'default' : undefined, {
    metadata: { name: 'default' },
    ...body,
  });

async function policies(): Promise<void> {
  await put(CLUSTER_GOVERNANCE_POLICIES, { spec: { maxCpu: '4', maxSandboxesPerUser: 3 } });
  const used = { sandboxes: 2, perUser: { ann: 1, bob: 1 } };
  await put(GOVERNANCE_POLICIES, { spec: { maxCpu: '2', maxSandboxesTotal: 5 }, status: { used } });
}

const resolved = {
  hash: 'h',
  chain: [{ kind: 'ClusterSandboxTemplate', name: 'shell' }],
  origins: { 'resources.limits.cpu': 'ClusterSandboxTemplate/shell' },
  spec: { resources: { limits: { cpu: '500m' } } },
};

const failure = (
  code: number,
  message: string,
  causes: { reason: string; field: string; message: string }[] = [],
) =>
  errorFromResponse(
    code,
    statusBody(code, { reason: code === 403 ? 'Forbidden' : 'Invalid', message, causes }),
  );

describe('GET /sandboxes/{id}/explain', () => {
  it('answers with origins, limits, headroom and usage, to those who may see the sandbox', async () => {
    await policies();
    await harness.add({ name: 'box', spec: { resolved } as object });
    const { status, body } = await harness.call('GET', '/api/v1/sandboxes/box/explain');
    expect(status).toBe(200);
    expect(body.fields).toContainEqual({
      field: 'resources.limits.cpu',
      value: '500m',
      origin: 'ClusterSandboxTemplate/shell',
      bounds: [{ policy: 'maxCpu', scope: 'namespace', limit: '2', headroom: '1500m' }],
    });
    expect(body.usage).toMatchObject([
      { scope: 'cluster', rows: [{ dimension: 'sandboxes', user: 'ann', limit: 3 }] },
      {
        scope: 'namespace',
        namespace: 'default',
        rows: [
          { used: 2, limit: 5, left: 3 },
          { user: 'ann', used: 1 },
        ],
      },
    ]);
    expect((await harness.call('GET', '/api/v1/sandboxes/box/explain', { key: BOB_KEY })).status).toBe(404);
  });

  it('says that there is nothing to explain yet', async () => {
    await harness.add({ name: 'raw' });
    expect(await harness.call('GET', '/api/v1/sandboxes/raw/explain')).toMatchObject({
      status: 409,
      body: { error: expect.stringContaining('no resolved spec') },
    });
  });
});

describe('GET /sandboxes/{id}/why', () => {
  it('answers with a paragraph, events or not', async () => {
    await harness.add({ name: 'box', phase: 'Creating', spec: { resolved } as object });
    await harness.api.create(EVENTS, 'default', {
      metadata: { name: 'e' },
      type: 'Warning',
      reason: 'Restarting',
      note: 'PodGone: bye',
      eventTime: new Date().toISOString(),
    } as KubeObject);
    const { body } = await harness.call('GET', '/api/v1/sandboxes/box/why');
    expect(body).toMatchObject({ name: 'box', namespace: 'default', phase: 'Creating' });
    expect(body.text).toMatch(/^Sandbox box is Creating, .*The last warning was Restarting: PodGone: bye\./);
    harness.api.before = ({ resource }) => {
      if (resource === EVENTS) throw failure(403, 'no events for you');
    };
    expect((await harness.call('GET', '/api/v1/sandboxes/box/why')).status).toBe(200);
    expect((await harness.call('GET', '/api/v1/sandboxes/box/why', { key: BOB_KEY })).status).toBe(404);
  });
});

/** The people in the answer about usage. */
const users = async (key?: string): Promise<unknown> => {
  const options = key === undefined ? {} : { key };
  const { body } = await harness.call('GET', '/api/v1/governance/usage', options);
  const rows = body.scopes.flatMap((scope: { rows: { user?: string }[] }) => scope.rows);
  return rows.map((row: { user?: string }) => row.user).filter((user?: string) => user !== undefined);
};

describe('governance', () => {
  it('combines the policies', async () => {
    await policies();
    expect((await harness.call('GET', '/api/v1/governance/effective?namespace=default')).body).toEqual({
      namespace: 'default',
      policy: { maxCpu: '2', maxSandboxesPerUser: 3, maxSandboxesTotal: 5 },
      fields: [
        { field: 'maxCpu', value: '2', scope: 'namespace' },
        { field: 'maxSandboxesPerUser', value: 3, scope: 'cluster' },
        { field: 'maxSandboxesTotal', value: 5, scope: 'namespace' },
      ],
    });
    expect((await harness.call('GET', '/api/v1/governance/effective?namespace=other')).body.policy).toEqual({
      maxCpu: '4',
      maxSandboxesPerUser: 3,
    });
  });

  it('tells people of their own use and administrators of everybody', async () => {
    await policies();
    expect(await users()).toEqual(['ann', 'ann']);
    expect(await users(ADMIN_KEY)).toEqual(['ann', 'bob']);
  });

  it('refuses a namespace that is none, and does not blame the caller for our own rights', async () => {
    expect((await harness.call('GET', '/api/v1/governance/usage?namespace=a/b')).status).toBe(400);
    harness.api.before = () => {
      throw failure(403, 'the router may not');
    };
    expect((await harness.call('GET', '/api/v1/governance/effective')).status).toBe(503);
  });
});

const object = (kind: string, name: string, spec: object) => ({
  apiVersion: 'agenttier.io/v1alpha1',
  kind,
  metadata: { name },
  spec,
});
const sandbox = object('Sandbox', 'new', { templateRef: { name: 'fresh' } });
const template = object('ClusterSandboxTemplate', 'fresh', { image: { repository: 'ghcr.io/acme/py' } });
const check = (body: unknown) => harness.call('POST', '/api/v1/check', { body });

describe('POST /check', () => {
  it('answers with the verdict of the API server, field by field', async () => {
    harness.api.before = ({ verb }) => {
      if (verb === 'apply') {
        throw failure(403, 'admission webhook "x" denied the request: no', [
          { reason: 'cpu_limit_exceeded', field: 'spec.resources.limits.cpu', message: 'too much' },
        ]);
      }
    };
    expect(await check(sandbox)).toMatchObject({
      status: 200,
      body: {
        allowed: false,
        verdicts: [
          {
            index: 0,
            kind: 'Sandbox',
            namespace: 'default',
            name: 'new',
            allowed: false,
            judgedBy: 'cluster',
            violations: [{ code: 'cpu_limit_exceeded', field: 'spec.resources.limits.cpu' }],
            warnings: [],
          },
        ],
      },
    });
  });

  it('judges a sandbox with the template that comes along', async () => {
    harness.api.before = ({ verb, resource }) => {
      if (verb !== 'apply') return;
      if (resource.kind === 'ClusterSandboxTemplate') throw failure(403, 'users "ann" cannot patch');
      throw failure(422, 'no', [
        { reason: 'template_not_found', field: 'spec.templateRef.name', message: 'no' },
      ]);
    };
    const { body } = await check({ kind: 'List', items: [sandbox, template] });
    expect(body).toMatchObject({
      allowed: false,
      verdicts: [
        { allowed: true, judgedBy: 'input', note: 'judged with ClusterSandboxTemplate/fresh of this input' },
        { allowed: false, judgedBy: 'cluster', violations: [{ code: 'forbidden', message: /cannot patch/ }] },
      ],
    });
  });

  it('leaves it to the cluster where that has the very template', async () => {
    harness.router.stores.clusterTemplates.applyWatch({
      metadata: { name: 'fresh', resourceVersion: '1' },
      spec: template.spec,
    });
    const { body } = await check([template, sandbox]);
    expect(body.verdicts.map(({ judgedBy }: { judgedBy: string }) => judgedBy)).toEqual([
      'cluster',
      'cluster',
    ]);
    const applied = harness.api.calls.filter(({ verb }) => verb === 'apply');
    expect(applied.map(({ resource }) => resource)).toEqual([CLUSTER_SANDBOX_TEMPLATES, expect.anything()]);
  });

  it.each([
    ['nothing', undefined, /no object/],
    ['an empty list', [], /no object/],
    ['a kind of others', { apiVersion: 'v1', kind: 'Pod', metadata: { name: 'x' } }, /none of agenttier/],
    ['no name', { ...sandbox, metadata: {} }, /no metadata.name/],
    ['an odd namespace', { ...sandbox, metadata: { name: 'x', namespace: 7 } }, /metadata.namespace/],
    ['too many', Array.from({ length: 101 }, () => sandbox), /at most 100/],
  ])('refuses %s', async (_name, body, words) => {
    const answer = await check(body);
    expect(answer.status).toBe(400);
    expect(answer.body.error).toMatch(words);
  });

  it('fails, rather than refuses, when the API server is away', async () => {
    harness.api.before = () => {
      throw failure(503, 'later');
    };
    expect((await check(sandbox)).status).toBe(503);
  });
});

describe('GET /templates/{name}/explain', () => {
  it('composes the chain as for a sandbox of the namespace, with what bounds it', async () => {
    await policies();
    const { clusterTemplates, templates } = harness.router.stores;
    const limits = { cpu: '1' };
    clusterTemplates.applyWatch({
      metadata: { name: 'base', resourceVersion: '1' },
      spec: { resources: { limits } },
    });
    const inheritsFrom = { kind: 'ClusterSandboxTemplate', name: 'base' } as const;
    templates.applyWatch({
      metadata: { name: 'leaf', namespace: 'default', resourceVersion: '2' },
      spec: { inheritsFrom, timeout: '1h' },
    });
    const { status, body } = await harness.call('GET', '/api/v1/templates/leaf/explain?namespace=default');
    expect(status).toBe(200);
    expect(body.chain).toEqual(['ClusterSandboxTemplate/base', 'SandboxTemplate/default/leaf']);
    expect(body.fields).toContainEqual({
      field: 'resources.limits.cpu',
      value: '1',
      origin: 'ClusterSandboxTemplate/base',
      bounds: [{ policy: 'maxCpu', scope: 'namespace', limit: '2', headroom: '1' }],
    });
  });

  it.each([
    ['nothing', '', 404],
    ['leaf', '?kind=Pod', 400],
    ['leaf', '?namespace=Not_A_Name', 400],
    ['loop', '', 409],
  ])('answers %s%s with %i', async (name, query, expected) => {
    harness.router.stores.clusterTemplates.applyWatch({
      metadata: { name: 'loop', resourceVersion: '1' },
      spec: { inheritsFrom: { kind: 'ClusterSandboxTemplate', name: 'loop' } },
    });
    expect((await harness.call('GET', `/api/v1/templates/${name}/explain${query}`)).status).toBe(expected);
  });
});
