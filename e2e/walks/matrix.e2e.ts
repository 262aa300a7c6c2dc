// SPDX-License-Identifier: Apache-2.0
import { beforeAll, describe, expect, it } from 'vitest';
import {
  apply,
  getJson,
  inSandbox,
  type Json,
  kubectl,
  ok,
  plugin,
  until,
  untilPhase,
  walkNamespace,
} from './harness.ts';
import { PLANT, SUM } from './tree.ts';

/** The template of sandboxes and slots alike: memory enough for the tree, and little enough to run out of it at once. */
const TEMPLATE = `
apiVersion: agenttier.io/v1alpha1
kind: SandboxTemplate
metadata:
  name: matrix
spec:
  inheritsFrom: { kind: ClusterSandboxTemplate, name: minimal-shell }
  storage: { size: 1Gi }
  resources: { requests: { cpu: 50m, memory: 64Mi }, limits: { memory: 256Mi } }
`;

const POOL = `
apiVersion: agenttier.io/v1alpha1
kind: SandboxWarmPool
metadata:
  name: matrix
spec:
  templateRef: { kind: SandboxTemplate, name: matrix }
  replicas: 1
`;

const sandboxOf = (name: string, extra = ''): string => `
apiVersion: agenttier.io/v1alpha1
kind: Sandbox
metadata:
  name: ${name}
spec:
  templateRef: { kind: SandboxTemplate, name: matrix }
${extra}`;

const killOperator = (): Promise<string> =>
  ok(
    kubectl([
      'delete',
      'pod',
      '-n',
      'agenttier',
      '-l',
      'app.kubernetes.io/component=operator',
      '--grace-period=0',
      '--force',
    ]),
  );

/** How the sandbox came to its first start: `cold`, or `warm` out of a pool, which stays there meanwhile. */
describe.each(['cold', 'warm'] as const)('data of a %s-started sandbox', (start) => {
  const namespace = walkNamespace(`walk-matrix-${start}`);
  const name = `keeper-${start}`;
  const sandbox = (of: string): Promise<Json> => getJson(['sandbox', of, '-n', namespace()]);
  const shell = async (script: string, of = name) => (await ok(inSandbox(of, namespace(), script))).trim();
  const want = async (desiredState: 'Running' | 'Stopped') => {
    const body = JSON.stringify({ spec: { desiredState } });
    await ok(kubectl(['patch', 'sandbox', name, '-n', namespace(), '--type=merge', '-p', body]));
  };
  const untilFree = (free: number) =>
    until(
      `${free} free slots`,
      async () => (await getJson(['sbwp', 'matrix', '-n', namespace()])).status?.free === free,
    );
  const podUid = async (): Promise<string> => {
    const { status } = await sandbox(name);
    return (await getJson(['pod', status.podName, '-n', namespace()])).metadata.uid;
  };
  const restarted = async (before: string): Promise<void> => {
    await until('another pod', async () => (await podUid()) !== before);
    await untilPhase(name, namespace(), 'Running');
  };
  const stopAndResume = async (): Promise<void> => {
    await ok(plugin(['stop', name, '-n', namespace()]));
    await untilPhase(name, namespace(), 'Stopped');
    await ok(plugin(['resume', name, '-n', namespace()]));
    await untilPhase(name, namespace(), 'Running');
  };
  let sum = '';
  let claim = '';

  beforeAll(async () => {
    await ok(apply(TEMPLATE, namespace()));
    if (start === 'warm') {
      await ok(apply(POOL, namespace()));
      await untilFree(1);
    }
    await ok(apply(sandboxOf(name), namespace()));
    const { status } = await untilPhase(name, namespace(), 'Running');
    expect(status.startup.path).toBe(start);
    await shell(PLANT);
    sum = await shell(SUM);
    claim = (await sandbox(name)).status.pvcName;
  }, 180_000);

  /** What happens to the sandbox; afterwards its files are the same, on the same volume. */
  const EVENTS: Readonly<Record<string, () => Promise<void>>> = {
    'stop and resume': async () => {
      if (start === 'warm') await untilFree(1);
      await stopAndResume();
    },
    'pod killed': async () => {
      const before = await podUid();
      const { status } = await sandbox(name);
      await ok(kubectl(['delete', 'pod', status.podName, '-n', namespace(), '--grace-period=0', '--force']));
      await restarted(before);
    },
    'out of memory': async () => {
      const before = await podUid();
      const { stdout } = await inSandbox(name, namespace(), 'tail /dev/zero; echo ended $?');
      // Where the kernel takes a container as a whole the pod goes with it; elsewhere it takes the greedy process alone.
      if (!stdout.includes('ended 137')) await restarted(before);
    },
    'operator killed while it stops': async () => {
      await want('Stopped');
      await killOperator();
      await untilPhase(name, namespace(), 'Stopped');
      await want('Running');
      await untilPhase(name, namespace(), 'Running');
    },
    'operator killed while it starts': async () => {
      await want('Stopped');
      await untilPhase(name, namespace(), 'Stopped');
      await want('Running');
      await killOperator();
      await untilPhase(name, namespace(), 'Running');
    },
  };

  it.each(Object.entries(EVENTS))('%s: same bytes, same volume', async (_what, happen) => {
    await happen();
    expect(await shell(SUM)).toBe(sum);
    expect((await sandbox(name)).status.pvcName).toBe(claim);
  });

  it('clone: same bytes on a volume of its own, and no snapshot left', async () => {
    // With a free slot at hand, too: a slot has the wrong volume.
    if (start === 'warm') await untilFree(1);
    await ok(apply(sandboxOf('copy', `  cloneFrom: { sandbox: ${name} }\n`), namespace()));
    const copy = await untilPhase('copy', namespace(), 'Running');
    expect(await shell(SUM, 'copy')).toBe(sum);
    expect(copy.status).toMatchObject({ clonedFrom: `Sandbox/${name}`, pvcName: 'copy-workspace' });
    expect(copy.spec.sharing).toBeUndefined();
    await until('the snapshot to be gone', async () => {
      const selector = ['-l', 'agenttier.io/snapshot-kind=clone'];
      return (await getJson(['volumesnapshots', '-n', namespace(), ...selector])).items.length === 0;
    });
    // What the source does from now on is its own affair; its programs were let go.
    expect(await shell('echo x > /workspace/after && cat /workspace/after')).toBe('x');
    expect((await inSandbox('copy', namespace(), 'test -e /workspace/after')).code).not.toBe(0);
  });

  it('backup on request, and restore: same bytes, from before the change', async () => {
    const request = 'agenttier.io/backup=walk-1';
    await ok(kubectl(['annotate', 'sandbox', name, '-n', namespace(), '--overwrite', request]));
    const { lastName } = await until('the backup', async () => {
      const { backup } = (await sandbox(name)).status;
      return backup?.observedRequest === 'walk-1' && backup.lastName !== undefined ? backup : undefined;
    });
    await shell('rm -rf /workspace/tree');
    const spec = `  storage: { size: 100Mi }\n  cloneFromSnapshot: ${lastName}\n`;
    await ok(apply(sandboxOf('restored', spec), namespace()));
    const restored = await untilPhase('restored', namespace(), 'Running');
    expect(await shell(SUM, 'restored')).toBe(sum);
    // As large as what was cut, whatever was asked for.
    expect(restored.spec.resolved.spec.storage.size).toBe('1Gi');
  });

  const emptyPool = async (): Promise<void> => {
    await shell(PLANT);
    const planted = await shell(SUM);
    await ok(kubectl(['scale', 'sbwp', 'matrix', '-n', namespace(), '--replicas=0']));
    await untilFree(0);
    await stopAndResume();
    expect(await shell(SUM)).toBe(planted);
    expect((await sandbox(name)).status.pvcName).toBe(claim);
  };
  if (start === 'warm') it('stop and resume with an empty pool: same bytes', emptyPool);

  it('leaves no volume behind', async () => {
    const claims: Json[] = (await getJson(['pvc', '-n', namespace()])).items;
    const doomed = claims.map(({ spec }) => spec.volumeName as string);
    expect(doomed.length).toBeGreaterThanOrEqual(3);
    await ok(kubectl(['delete', 'sandboxes,sbwp', '--all', '-n', namespace(), '--timeout=90s']));
    await until('the volumes to be gone', async () => {
      const left: string[] = (await getJson(['pv'])).items.map(({ metadata }: Json) => metadata.name);
      return !doomed.some((one) => left.includes(one));
    });
  });
});
