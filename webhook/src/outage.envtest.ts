// SPDX-License-Identifier: Apache-2.0
import type { Sandbox } from '@agenttier/crds/generated/types';
import {
  CLUSTER_SANDBOX_TEMPLATES,
  GOVERNANCE_POLICIES,
  SANDBOX_TEMPLATES,
  SANDBOXES,
} from '@agenttier/crds/meta/resources';
import type { KubeClient } from '@agenttier/machinery/kube/client';
import type { KubeObject } from '@agenttier/machinery/kube/resource';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { freePorts } from '../../e2e/envtest/processes.ts';
import { adminClient, freshNamespace } from '../../e2e/envtest/server.ts';
import { registerWebhooks, unregisterWebhooks } from './envtest/registration.ts';
import { causes, refusal, Scene } from './envtest/scene.ts';

let client: KubeClient;
let team: string;

const object = (name: string, spec: object): KubeObject =>
  ({ metadata: { name, namespace: team }, spec }) as KubeObject;
const make = (name: string, spec: object): Promise<Sandbox> =>
  client.create<Sandbox>(SANDBOXES, team, object(name, spec));
const change = (name: string, spec: object): Promise<Sandbox> =>
  client.patch<Sandbox>(SANDBOXES, { namespace: team, name }, { type: 'merge', body: { spec } });

beforeAll(async () => {
  client = await adminClient();
  team = await freshNamespace('early');
});

describe('without a webhook, the schema alone', () => {
  beforeAll(() =>
    make('bare', {
      templateRef: { name: 'any', kind: 'SandboxTemplate' },
      createdBy: { sub: 'alice' },
      storage: { size: '1Gi', storageClass: 'fast', mountPath: '/work' },
      mode: 'code',
    }),
  );

  it.each<[string, object]>([
    ['the owner', { createdBy: { sub: 'mallory' } }],
    ['the template', { templateRef: { name: 'other' } }],
    ['the storage class', { storage: { storageClass: 'slow' } }],
    ['the mount path', { storage: { mountPath: '/else' } }],
    ['the mode', { mode: 'agent' }],
  ])('keeps %s as it was', async (_what, spec) => {
    expect((await refusal(change('bare', spec))).status).toBe(422);
  });

  it.each<[string, object]>([
    ['a time in days', { timeout: '1d' }],
    ['an address range that is none', { network: { egressRules: [{ cidr: '10.0.0.0/99' }] } }],
    [
      'a port that is none',
      { network: { egressRules: [{ cidr: '10.0.0.0/8', ports: [{ port: 70_000 }] }] } },
    ],
  ])('refuses %s', async (_what, spec) => {
    expect((await refusal(make('wrong', spec))).status).toBe(422);
  });
});

describe('objects from before the webhook', () => {
  const scene = new Scene();
  beforeAll(async () => {
    // Each breaks a rule that only the webhook knows.
    await make('old', {
      image: { repository: 'ghcr.io/acme/old' },
      gracePeriod: '1m',
      resources: { limits: { cpu: '64' } },
    });
    await make('orphan', { templateRef: { name: 'gone', kind: 'SandboxTemplate' }, desiredState: 'Stopped' });
    const bad = { image: { repository: 'ghcr.io/acme/old' }, inheritsFrom: { name: 'gone' }, hidden: true };
    await client.create(SANDBOX_TEMPLATES, team, object('old', bad));
    const limits = { maxCpu: '2', maxInvokeTimeout: '1m' };
    await client.create(GOVERNANCE_POLICIES, team, object('default', limits));
    await scene.open();
  });
  afterAll(() => scene.close());

  it('can be labelled, stopped and edited; only what changes is judged', async () => {
    const labels = { type: 'merge', body: { metadata: { labels: { a: 'b' } } } } as const;
    await client.patch(SANDBOXES, { namespace: team, name: 'old' }, labels);
    await change('old', { desiredState: 'Stopped' });
    const { spec } = await change('old', { env: [{ name: 'A', value: '1' }] });
    expect(spec?.resolved?.spec?.env, 'the first edit also merges it').toHaveLength(1);
    expect(causes(await refusal(change('old', { resources: { limits: { cpu: '65' } } })))).toEqual([
      'spec.resources.limits.cpu cpu_limit_exceeded',
    ]);
    expect(causes(await refusal(change('old', { ports: [{ port: 80, public: true }] })))).toEqual([
      'spec.ports[0].public field_not_supported',
    ]);
  });

  it('are judged whole when they are to start', async () => {
    const error = await refusal(change('old', { desiredState: 'Running' }));
    expect(causes(error)).toContain('spec.resources.limits.cpu cpu_limit_exceeded');
    expect(causes(await refusal(change('orphan', { desiredState: 'Running' })))).toContain(
      'spec.templateRef.name template_not_found',
    );
  });

  it('that are templates and policies can be edited in other fields', async () => {
    const key = { namespace: team, name: 'old' };
    const edit = (spec: object) => client.patch(SANDBOX_TEMPLATES, key, { type: 'merge', body: { spec } });
    await edit({ description: 'still here' });
    expect(causes(await refusal(edit({ warm: { compatKeys: ['a'] } })))).toHaveLength(1);
    const policy = { namespace: team, name: 'default' };
    const body = { spec: { maxMemory: '1Gi' } };
    await client.patch(GOVERNANCE_POLICIES, policy, { type: 'merge', body });
  });

  it('can be deleted', async () => {
    await client.delete(SANDBOXES, { namespace: team, name: 'orphan' });
    await client.delete(SANDBOX_TEMPLATES, { namespace: team, name: 'old' });
    await client.delete(GOVERNANCE_POLICIES, { namespace: team, name: 'default' });
  });
});

describe('while no replica answers', () => {
  const CONFIGURATION = 'agenttier-dead';
  beforeAll(async () => {
    await client.create(CLUSTER_SANDBOX_TEMPLATES, undefined, {
      metadata: { name: team },
      spec: {},
    } as KubeObject);
    const [port = 0] = await freePorts(1);
    await registerWebhooks(client, CONFIGURATION, port);
  });
  afterAll(() => unregisterWebhooks(client, CONFIGURATION));

  it('nothing of ours is admitted, and nothing else is held up', async () => {
    expect((await refusal(make('dark', {}))).status).toBe(500);
    expect((await refusal(change('bare', { createdBy: { sub: 'mallory' } }))).status).toBe(500);
    await refusal(client.delete(CLUSTER_SANDBOX_TEMPLATES, { name: team }));
    await freshNamespace('unharmed');
  });

  it('the operator can still write the status', async () => {
    const status = { type: 'merge', body: { status: { phase: 'Running' } } } as const;
    const key = { namespace: team, name: 'bare' };
    // The rights are the group's, the name is what the webhook's condition goes by.
    const groups = ['system:masters'];
    const operator = { user: 'system:serviceaccount:agenttier:agenttier-operator', groups };
    await client.patch(SANDBOXES, key, status, { subresource: 'status', impersonate: operator });
    const other = { user: 'mallory', groups };
    await refusal(client.patch(SANDBOXES, key, status, { subresource: 'status', impersonate: other }));
  });
});
