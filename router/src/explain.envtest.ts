// SPDX-License-Identifier: Apache-2.0
import { adminAccess } from '@agenttier/e2e/envtest/server';
import type { Sandbox } from '@agenttier/crds/generated/types';
import { API_VERSION } from '@agenttier/crds/meta/labels';
import { SANDBOXES } from '@agenttier/crds/meta/resources';
import { createEventRecorder } from '@agenttier/machinery/events/recorder';
import type { KubeObject } from '@agenttier/machinery/kube/resource';
import { until } from '@agenttier/machinery/testing/until';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { useScene } from '../../webhook/src/envtest/scene.ts';
import { ADMIN_KEY, BOB_KEY } from './testing/harness.ts';
import type { Json } from './testing/harness.ts';
import { LiveRouter } from './testing/liveRouter.ts';

// The webhooks stand at the API server, and the router has the roles of the chart only.
const scene = useScene();
let live: LiveRouter;

beforeAll(async () => {
  live = await LiveRouter.start({
    admin: scene.client,
    adminAccess: await adminAccess(),
    installNamespace: scene.install,
    sandboxNamespace: scene.team,
  });
  await scene.create('GovernancePolicy', 'default', { maxCpu: '2', maxTimeout: '8h' });
  // The webhook's replicas have seen the policy when a sandbox that breaks it is refused.
  const greedy = { templateRef: { name: scene.base }, resources: { limits: { cpu: '8' } } };
  const probe = async (): Promise<boolean> =>
    (await check(sandbox('probe', greedy))).verdicts[0].allowed === false;
  await until(async () => (await probe()) && (await probe()), 'the policy to be in force');
});
afterAll(() => live.stop());

const object = (kind: string, name: string, spec: object) => ({
  apiVersion: API_VERSION,
  kind,
  metadata: { name },
  spec,
});
const sandbox = (name: string, spec: object) => object('Sandbox', name, spec);
const check = async (body: unknown, key?: string): Promise<Json> => {
  const { status, body: answer } = await live.call('POST', '/check', body, key);
  expect(status).toBe(200);
  return answer;
};
const codes = (verdict: Json): string[] =>
  verdict.violations.map(({ code, field }: Json) => `${code} ${field}`).toSorted();

describe('check by REST', () => {
  it('gives the verdict of a create and stores nothing', async () => {
    const spec = { templateRef: { name: scene.base }, resources: { limits: { cpu: '8' } }, timeout: '24h' };
    const { allowed, verdicts } = await check(sandbox('big', spec));
    expect(allowed).toBe(false);
    expect(codes(verdicts[0])).toEqual([
      'cpu_limit_exceeded spec.resources.limits.cpu',
      'timeout_exceeded spec.timeout',
    ]);
    const { body } = await live.call('POST', '/sandboxes', { name: 'big', ...spec });
    expect(body.violations).toEqual(expect.arrayContaining(verdicts[0].violations));
    const fine = await check(sandbox('fine', { templateRef: { name: scene.base } }));
    expect(fine).toMatchObject({ allowed: true, verdicts: [{ judgedBy: 'cluster' }] });
    expect(fine.verdicts[0].warnings.join()).toContain('spec.timeout');
    expect((await live.call('GET', '/sandboxes/fine')).status).toBe(404);
  });

  it('gives the same verdict on templates that come along as once they are stored', async () => {
    const root = object('ClusterSandboxTemplate', `root-${scene.team}`, {
      image: { repository: 'ghcr.io/acme/py' },
      resources: { limits: { cpu: '4' } },
    });
    const leaf = object('SandboxTemplate', 'leaf', {
      inheritsFrom: { name: root.metadata.name },
      timeout: '2h',
    });
    const users = [
      sandbox('too-big', { templateRef: { name: 'leaf' } }),
      sandbox('fits', { templateRef: { name: 'leaf' }, resources: { limits: { cpu: '1' } } }),
      sandbox('typo', { templateRef: { name: 'leaf' }, tiemout: '1h' }),
    ];
    // Administrators may write templates; here both may, since RBAC is not what is looked at.
    const before = await check([root, leaf, ...users], ADMIN_KEY);
    const judged = before.verdicts.map(
      ({ name, allowed, judgedBy }: Json) => `${name} ${allowed} ${judgedBy}`,
    );
    expect(judged).toEqual([
      `root-${scene.team} true cluster`,
      'leaf true input',
      'too-big false input',
      'fits true input',
      'typo false input',
    ]);
    expect(codes(before.verdicts[2])).toEqual(['cpu_limit_exceeded spec.resources.limits.cpu']);
    expect(codes(before.verdicts[4])).toContain('unknown_field spec.tiemout');
    await scene.create('ClusterSandboxTemplate', root.metadata.name, root.spec);
    await scene.create('SandboxTemplate', 'leaf', leaf.spec);
    await until(async () => {
      const { body } = await live.call('GET', `/templates/leaf?namespace=${scene.team}`);
      return body.name === 'leaf' && body.spec.timeout === '2h';
    }, 'the router to know the template');
    const after = await check([root, leaf, ...users], ADMIN_KEY);
    expect(after.verdicts.map(({ allowed }: Json) => allowed)).toEqual([true, true, false, true, false]);
    expect(after.verdicts.map(({ judgedBy }: Json) => judgedBy)).toEqual(Array(5).fill('cluster'));
    expect(codes(after.verdicts[2])).toEqual(codes(before.verdicts[2]));
  });

  it("refuses a change of somebody else's sandbox, with the code of admission", async () => {
    const spec = { templateRef: { name: scene.base } };
    expect((await live.call('POST', '/sandboxes', { name: 'anns', ...spec })).status).toBe(201);
    const { allowed } = await check(sandbox('anns', { ...spec, timeout: '1h' }), BOB_KEY);
    expect(allowed).toBe(false);
  });
});

describe('explanations by REST', () => {
  it('name the policy that bounds a field and what is left', async () => {
    const spec = { templateRef: { name: scene.base }, resources: { limits: { cpu: '500m' } } };
    expect((await live.call('POST', '/sandboxes', { name: 'plain', ...spec })).status).toBe(201);
    const { body } = await live.call('GET', '/sandboxes/plain/explain');
    const bounds = Object.fromEntries(body.fields.map((field: Json) => [field.field, field.bounds]));
    expect(bounds['resources.limits.cpu']).toEqual([
      { policy: 'maxCpu', scope: 'namespace', limit: '2', headroom: '1500m' },
    ]);
    expect(bounds['timeout']).toEqual([
      { policy: 'maxTimeout', scope: 'namespace', limit: '8h', headroom: '0' },
    ]);
    const effective = await live.call('GET', `/governance/effective?namespace=${scene.team}`);
    expect(effective.body.policy).toMatchObject({ maxCpu: '2', maxTimeout: '8h' });
    expect((await live.call('GET', '/governance/usage')).status).toBe(200);
  });

  it('say why, with the last warning about this very sandbox', async () => {
    expect(
      (await live.call('POST', '/sandboxes', { name: 'slow', templateRef: { name: scene.base } })).status,
    ).toBe(201);
    const key = { namespace: scene.team, name: 'slow' };
    const stored = await scene.client.get<Sandbox & KubeObject>(SANDBOXES, key);
    const recorder = createEventRecorder({ client: scene.client, component: 'test', instance: 'test' });
    const other = {
      ...stored,
      metadata: { ...stored.metadata, uid: '00000000-0000-4000-8000-000000000000' },
    };
    recorder.record({
      regarding: stored,
      type: 'Warning',
      reason: 'Restarting',
      note: 'PodGone: it was taken',
    });
    recorder.record({ regarding: other, type: 'Warning', reason: 'Restarting', note: 'of an earlier one' });
    await recorder.flush();
    const { body } = await live.call('GET', '/sandboxes/slow/why');
    expect(body).toMatchObject({ name: 'slow', namespace: scene.team, phase: 'Creating', reason: 'Pending' });
    expect(body.text).toMatch(/^Sandbox slow is Creating, .*PodGone: it was taken\./);
    expect(body.text).not.toContain('earlier');
    expect((await live.call('GET', '/sandboxes/slow/why', undefined, BOB_KEY)).status).toBe(404);
  });
});
