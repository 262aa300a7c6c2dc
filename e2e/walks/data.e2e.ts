// SPDX-License-Identifier: Apache-2.0
import { beforeAll, describe, expect, it } from 'vitest';
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

const checksum = 'cd /workspace && find tree -type f | sort | xargs sha256sum | sha256sum';

describe('data', () => {
  const namespace = walkNamespace('walk-data');
  const shell = async (script: string) => (await ok(inSandbox('keeper', namespace(), script))).trim();
  const podUid = async () => (await getJson(['pod', 'keeper-pod', '-n', namespace()])).metadata.uid as string;
  const boundClaims = async (): Promise<string[]> =>
    (await getJson(['pv'])).items.map(
      (item: { spec: { claimRef?: { uid: string } } }) => item.spec.claimRef?.uid,
    );
  let sum = '';
  let volume = '';

  beforeAll(async () => {
    await ok(apply(minimalSandbox('keeper'), namespace()));
    await untilPhase('keeper', namespace(), 'Running');
    await shell(
      'mkdir -p /workspace/tree/a/b && for i in 1 2 3 4; do head -c 1048576 /dev/urandom > /workspace/tree/a/b/$i; done',
    );
    sum = await shell(checksum);
    volume = (await getJson(['pvc', 'keeper-workspace', '-n', namespace()])).metadata.uid;
    // Else the wait at the end, for the volume to be gone, would prove nothing.
    expect(await boundClaims()).toContain(volume);
  });

  it('stops: the pod is gone and the volume stays', async () => {
    await ok(plugin(['stop', 'keeper', '-n', namespace()]));
    await untilPhase('keeper', namespace(), 'Stopped');
    expect((await kubectl(['get', 'pod', 'keeper-pod', '-n', namespace()])).code).not.toBe(0);
    expect((await getJson(['pvc', 'keeper-workspace', '-n', namespace()])).metadata.uid).toBe(volume);
  });

  it('resumes with the same bytes', async () => {
    await ok(plugin(['resume', 'keeper', '-n', namespace()]));
    await untilPhase('keeper', namespace(), 'Running');
    expect(await shell(checksum)).toBe(sum);
    expect((await getJson(['pvc', 'keeper-workspace', '-n', namespace()])).metadata.uid).toBe(volume);
  });

  it('stops and resumes at once, without an error between', async () => {
    const old = await podUid();
    await ok(
      kubectl([
        'patch',
        'sandbox',
        'keeper',
        '-n',
        namespace(),
        '--type=merge',
        '-p',
        '{"spec":{"desiredState":"Stopped"}}',
      ]),
    );
    await ok(
      kubectl([
        'patch',
        'sandbox',
        'keeper',
        '-n',
        namespace(),
        '--type=merge',
        '-p',
        '{"spec":{"desiredState":"Running"}}',
      ]),
    );
    await until('a pod of the second start', async () => (await podUid()) !== old);
    const resumed = await untilPhase('keeper', namespace(), 'Running');
    expect(resumed.status.restartCount ?? 0).toBe(0);
    expect(await shell(checksum)).toBe(sum);
  });

  it('heals a killed pod with the same volume', async () => {
    const old = await podUid();
    await ok(kubectl(['delete', 'pod', 'keeper-pod', '-n', namespace(), '--grace-period=0', '--force']));
    await until('a new pod', async () => (await podUid()) !== old);
    const healed = await untilPhase('keeper', namespace(), 'Running');
    expect(healed.status.restartCount).toBeGreaterThan(0);
    expect(await shell(checksum)).toBe(sum);
  });

  it('leaves nothing behind when deleted', async () => {
    await ok(plugin(['delete', 'keeper', '-n', namespace(), '--wait']));
    await until('every object of the sandbox to be gone', async () => {
      const left = await ok(
        kubectl([
          'get',
          'sandbox,pod,pvc,networkpolicy,secret,serviceaccount',
          '-n',
          namespace(),
          '-o',
          'name',
        ]),
      );
      return left.trim() === 'serviceaccount/default';
    });
    await until('the volume to be gone', async () => !(await boundClaims()).includes(volume));
  });
});
