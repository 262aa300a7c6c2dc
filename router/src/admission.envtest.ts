// SPDX-License-Identifier: Apache-2.0
import { adminAccess } from '@agenttier/e2e/envtest/server';
import type { Sandbox } from '@agenttier/crds/generated/types';
import { SANDBOXES } from '@agenttier/crds/meta/resources';
import type { KubeObject } from '@agenttier/machinery/kube/resource';
import { until } from '@agenttier/machinery/testing/until';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { useScene } from '../../webhook/src/envtest/scene.ts';
import { ADMIN_KEY, ANN_KEY, BOB_KEY } from './testing/harness.ts';
import { LiveRouter } from './testing/liveRouter.ts';

// The webhooks stand at the API server, as in an installation: what REST answers is their verdict.
const scene = useScene();
let live: LiveRouter;

beforeAll(async () => {
  live = await LiveRouter.start({
    admin: scene.client,
    adminAccess: await adminAccess(),
    installNamespace: scene.install,
    sandboxNamespace: scene.team,
  });
});
afterAll(() => live.stop());

const templateRef = () => ({ name: scene.base, kind: 'ClusterSandboxTemplate' });

describe('REST and admission', () => {
  it('make the caller the owner, and nobody else sees the sandbox', async () => {
    expect((await live.call('POST', '/sandboxes', { name: 'mine', templateRef: templateRef() })).status).toBe(
      201,
    );
    const view = await live.call('GET', '/sandboxes/mine');
    expect(view).toMatchObject({
      status: 200,
      body: { createdBy: { sub: 'ann', email: 'ann@example.com' } },
    });
    expect((await live.call('GET', '/sandboxes/mine', undefined, BOB_KEY)).status).toBe(404);
    // Other files' sandboxes of another "bob" stand on the same API server.
    const his = await live.call('GET', `/sandboxes?namespace=${scene.team}`, undefined, BOB_KEY);
    expect(his.body).toEqual({ sandboxes: [] });
    expect((await live.call('GET', '/sandboxes/mine', undefined, ADMIN_KEY)).status).toBe(200);
  });

  it('let the owner and an administrator stop, resume and delete', async () => {
    const steps: [method: string, path: string, key: string, status: number][] = [
      ['POST', '/sandboxes/turn/stop', BOB_KEY, 404],
      ['POST', '/sandboxes/turn/stop', ANN_KEY, 200],
      ['POST', '/sandboxes/turn/resume', ADMIN_KEY, 200],
      ['DELETE', '/sandboxes/turn', BOB_KEY, 404],
      ['DELETE', '/sandboxes/turn', ANN_KEY, 204],
    ];
    expect((await live.call('POST', '/sandboxes', { name: 'turn', templateRef: templateRef() })).status).toBe(
      201,
    );
    for (const [method, path, key, status] of steps) {
      const answer = await live.call(method, path, undefined, key);
      expect([method, path, answer.status, answer.body?.error]).toEqual([
        method,
        path,
        status,
        status === 404 ? expect.any(String) : undefined,
      ]);
    }
    expect((await live.call('GET', '/sandboxes/turn')).body.status).toBe('Deleting');
    // Nobody plays the operator here: the finalizer that admission set is taken off by hand.
    const key = { namespace: scene.team, name: 'turn' };
    const operator = { impersonate: scene.operator() };
    await scene.client.patch(
      SANDBOXES,
      key,
      { type: 'merge', body: { metadata: { finalizers: null } } },
      operator,
    );
    await until(
      async () => (await live.call('GET', '/sandboxes/turn')).status === 404,
      'the sandbox to be gone',
    );
  });

  it('say what is wrong with a sandbox, field by field', async () => {
    const unknown = await live.call('POST', '/sandboxes', {
      name: 'bad',
      templateRef: { name: 'no-such-template' },
    });
    expect(unknown).toMatchObject({
      status: 422,
      body: { violations: [{ code: 'template_not_found', field: 'spec.templateRef.name' }] },
    });
    expect(unknown.body.error).not.toContain('admission webhook');
    const later = { name: 'bad', templateRef: templateRef(), storage: { existingClaim: 'mine' } };
    const unsupported = await live.call('POST', '/sandboxes', later);
    expect(unsupported).toMatchObject({
      status: 422,
      body: { violations: [{ code: 'field_not_supported' }] },
    });
    expect((await live.call('GET', '/sandboxes/bad')).status).toBe(404);
  });

  it('refuse what policy forbids, with every limit and what was asked for', async () => {
    await scene.create('GovernancePolicy', 'default', { maxCpu: '2', maxMemory: '8Gi', maxTimeout: '1h' });
    const body = {
      name: 'greedy',
      templateRef: templateRef(),
      timeout: '8h',
      resources: { limits: { cpu: '8', memory: '16Gi' } },
    };
    let answer = await live.call('POST', '/sandboxes', body);
    await until(async () => {
      answer = await live.call('POST', '/sandboxes', {
        ...body,
        name: `greedy-${Math.random().toString(36).slice(2)}`,
      });
      return answer.status !== 201;
    }, 'the policy to be seen');
    expect(answer).toMatchObject({ status: 403, body: { error: 'policy_violation' } });
    const violations = answer.body.violations as {
      code: string;
      field: string;
      limit: string;
      actual: string;
    }[];
    expect(violations.map(({ code, field }) => `${code} ${field}`).toSorted()).toEqual([
      'cpu_limit_exceeded spec.resources.limits.cpu',
      'memory_limit_exceeded spec.resources.limits.memory',
      'timeout_exceeded spec.timeout',
    ]);
    expect(violations.find(({ code }) => code === 'cpu_limit_exceeded')).toMatchObject({
      limit: '2',
      actual: '8',
      scope: 'namespace',
    });
  });

  it('tell what admission changed', async () => {
    const made = await live.call('POST', '/sandboxes', { name: 'clamped', templateRef: templateRef() });
    expect(made).toMatchObject({ status: 201, body: { warnings: [expect.stringContaining('timeout')] } });
    const stored = await scene.client.get<Sandbox & KubeObject>(SANDBOXES, {
      namespace: scene.team,
      name: 'clamped',
    });
    expect(stored.spec?.resolved?.spec?.timeout).toBe('1h');
  });
});
