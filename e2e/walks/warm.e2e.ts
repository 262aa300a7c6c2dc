// SPDX-License-Identifier: Apache-2.0
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  apply,
  getJson,
  inSandbox,
  kubectl,
  minimalSandbox,
  ok,
  plugin,
  until,
  untilPhase,
  walkNamespace,
} from './harness.ts';
import type { Json } from './harness.ts';

const pool = (replicas: number): string => `
apiVersion: agenttier.io/v1alpha1
kind: SandboxWarmPool
metadata:
  name: shells
spec:
  templateRef: { kind: ClusterSandboxTemplate, name: minimal-shell }
  replicas: ${replicas}
  refill: { concurrency: 4 }
`;

const checksum = 'cd /workspace && find tree -type f | sort | xargs sha256sum | sha256sum';
/** Runs the node's usual runtime under another name: what counts is that a slot does not have it. */
const runtimeClass = `
apiVersion: node.k8s.io/v1
kind: RuntimeClass
metadata:
  name: walk-warm
handler: runc
`;

describe('warm pools', () => {
  const namespace = walkNamespace('walk-warm');
  const shell = async (name: string, script: string) =>
    (await ok(inSandbox(name, namespace(), script))).trim();
  const object = (kind: string, name: string) => getJson([kind, name, '-n', namespace()]);
  const slots = async (): Promise<Json[]> =>
    (await getJson(['pods', '-n', namespace(), '-l', 'agenttier.io/slot=shells,!agenttier.io/sandbox']))
      .items;
  const untilFree = (free: number) =>
    until(`${free} free slots`, async () => (await object('sbwp', 'shells')).status?.free === free);
  const scale = async (replicas: number) => {
    await ok(kubectl(['scale', 'sbwp', 'shells', '-n', namespace(), `--replicas=${replicas}`]));
    await untilFree(replicas);
  };
  let sum = '';

  beforeAll(async () => {
    await ok(kubectl(['apply', '-f', '-'], { stdin: runtimeClass }));
    await ok(apply(pool(1), namespace()));
    await ok(apply(minimalSandbox('stranger', '  warmPool: Never\n'), namespace()));
    await untilPhase('stranger', namespace(), 'Running');
    await untilFree(1);
  });

  afterAll(async () => {
    await kubectl(['delete', 'runtimeclass', 'walk-warm', '--ignore-not-found']);
  });

  it('keep slots as hard as a sandbox, which no stranger reaches', async () => {
    const [slot] = await slots();
    const cold = await object('pod', 'stranger-pod');
    const security = (pod: Json) => [pod.spec.securityContext, pod.spec.containers[0].securityContext];
    expect(security(slot)).toEqual(security(cold));
    expect(slot.spec.containers[0].resources).toEqual(cold.spec.containers[0].resources);
    expect(slot.spec.automountServiceAccountToken).toBe(false);
    const connect = `timeout 3 bash -c 'exec 3<>/dev/tcp/${slot.status.podIP}/9000'; echo $?`;
    expect((await shell('stranger', connect)).split('\n').at(-1)).toBe('124');
  });

  it('start a sandbox that keeps all it asked for', async () => {
    const [slot] = await slots();
    const env =
      '  env:\n    - { name: GREETING, value: hello }\n    - { name: WHOLE, value: "$(GREETING) there" }\n';
    await ok(apply(minimalSandbox('quick', env), namespace()));
    const { status } = await untilPhase('quick', namespace(), 'Running');
    expect(status.startup.path).toBe('warm');
    expect(status.podName).toBe(slot.metadata.name);
    expect(await shell('quick', 'echo "$WHOLE|$HOME"')).toBe('hello there|/workspace');
    const pod = await object('pod', status.podName);
    const cold = await object('pod', 'stranger-pod');
    expect(pod.spec.containers[0].resources).toEqual(cold.spec.containers[0].resources);
    expect(pod.metadata.ownerReferences).toMatchObject([{ kind: 'Sandbox', name: 'quick' }]);
    const volume = await until('the volume to belong to the sandbox', async () => {
      const found = await object('pvc', status.pvcName);
      return found.metadata.ownerReferences?.[0]?.name === 'quick' ? found : undefined;
    });
    expect(volume.spec.resources.requests.storage).toBe(
      (await object('pvc', 'stranger-workspace')).spec.resources.requests.storage,
    );
    // A stranger does not reach it after the claim either.
    const connect = `timeout 3 bash -c 'exec 3<>/dev/tcp/${pod.status.podIP}/9000'; echo $?`;
    expect((await shell('stranger', connect)).split('\n').at(-1)).toBe('124');
    await shell(
      'quick',
      'mkdir -p /workspace/tree && for i in 1 2 3 4; do head -c 26214400 /dev/urandom > /workspace/tree/$i; done',
    );
    sum = await shell('quick', checksum);
  });

  it.each([['free', 1] as const, ['empty', 0] as const])(
    'never stand between a sandbox and its data: stop and resume with the pool %s',
    async (_what, replicas) => {
      await scale(replicas);
      const before = (await object('sandbox', 'quick')).status;
      await ok(plugin(['stop', 'quick', '-n', namespace()]));
      await untilPhase('quick', namespace(), 'Stopped');
      await ok(plugin(['resume', 'quick', '-n', namespace()]));
      const { status } = await untilPhase('quick', namespace(), 'Running');
      expect(status.startup.path).toBe('resume');
      expect(status.pvcName).toBe(before.pvcName);
      expect(status.podName).toBe('quick-pod');
      expect(await shell('quick', checksum)).toBe(sum);
      expect(await slots()).toHaveLength(replicas);
    },
    180_000,
  );

  it('leave a sandbox that wants another runtime to a cold start', async () => {
    await scale(1);
    await ok(apply(minimalSandbox('other', '  runtimeClass: walk-warm\n'), namespace()));
    const { status } = await untilPhase('other', namespace(), 'Running');
    expect(status).toMatchObject({ podName: 'other-pod', startup: { path: 'cold' } });
    expect((await object('pod', 'other-pod')).spec.runtimeClassName).toBe('walk-warm');
    expect(await slots()).toHaveLength(1);
  });

  it('give one slot to one of those who come at the same time', async () => {
    await scale(2);
    const names = ['a', 'b', 'c'].map((letter) => `rush-${letter}`);
    await ok(apply(names.map((name) => minimalSandbox(name)).join('---\n'), namespace()));
    const running = await Promise.all(names.map((name) => untilPhase(name, namespace(), 'Running')));
    expect(new Set(running.map(({ status }) => status.podName)).size).toBe(3);
    expect(new Set(running.map(({ status }) => status.pvcName)).size).toBe(3);
    const warm = running.filter(({ status }) => status.startup.path === 'warm');
    expect(warm.length).toBeGreaterThanOrEqual(2);
    for (const name of names) expect(await shell(name, 'echo up')).toBe('up');
  });

  it('are an Error for a sandbox that requires a slot which nobody keeps', async () => {
    const spec = '  warmPool: Require\n  resources:\n    limits: { cpu: 300m }\n';
    await ok(apply(minimalSandbox('picky', spec), namespace()));
    const { status } = await untilPhase('picky', namespace(), 'Error');
    expect(status.reason).toBe('WarmPoolMiss');
  });

  it('take their slots with them when they are deleted, and leave what was claimed', async () => {
    await ok(kubectl(['delete', 'sbwp', 'shells', '-n', namespace()]));
    await until('the slots to be gone', async () => (await slots()).length === 0);
    const unclaimed = 'agenttier.io/slot=shells,!agenttier.io/sandbox';
    await until('their volumes to be gone', async () => {
      const { items } = await getJson(['pvc,secret,networkpolicy', '-n', namespace(), '-l', unclaimed]);
      return items.length === 0;
    });
    expect(await shell('quick', checksum)).toBe(sum);
    expect(await shell('rush-a', 'echo up')).toBe('up');
  });
});
