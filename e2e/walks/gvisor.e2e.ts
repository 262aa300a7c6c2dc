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
  rest,
  untilPhase,
  walkNamespace,
} from './harness.ts';

const GVISOR = '  runtimeClass: gvisor\n';

/** On a machine where gVisor cannot run, `make up` says why and the chart has no such class. */
const hasGvisor = (await kubectl(['get', 'runtimeclass', 'gvisor'])).code === 0;

describe.runIf(hasGvisor)('a sandbox under gVisor', () => {
  const namespace = walkNamespace('walk-gvisor');
  const shell = async (script: string) => (await ok(inSandbox('kernel', namespace(), script))).trim();

  beforeAll(async () => {
    await ok(apply(minimalSandbox('kernel', GVISOR), namespace()));
    await untilPhase('kernel', namespace(), 'Running');
  });

  it('has a kernel of its own, not the node’s', async () => {
    expect(await shell('dmesg')).toContain('Starting gVisor');
    const pod = await getJson(['pod', 'kernel-pod', '-n', namespace()]);
    expect(pod.spec.runtimeClassName).toBe('gvisor');
    expect(pod.spec.nodeSelector).toEqual({ 'agenttier.io/runtime': 'gvisor' });
  });

  it('is hardened like any other', async () => {
    // gVisor asks for the permission before it looks at the mount, so the mount is looked at as well.
    expect(await shell('id -u; touch /etc/probe 2>&1; echo kept > probe && cat probe')).toMatch(
      /^1000\n.*(Permission denied|Read-only file system)\nkept$/,
    );
    expect(await shell('awk \'$2 == "/" { print $4 }\' /proc/mounts')).toMatch(/^ro\b/);
  });

  it('is worked in over the API server as well', async () => {
    const at = (verb: string) => `/sandboxes/kernel${verb}?namespace=${namespace()}`;
    const operator = ['--as', 'system:serviceaccount:agenttier:agenttier-operator'];
    const nonce = ['kernel-pod', 'agenttier.io/token-nonce-'];
    await ok(kubectl(['annotate', 'pod', ...nonce, '-n', namespace(), ...operator]));
    const ran = await rest('POST', at('/exec'), { command: 'cat > relayed; cat relayed', stdin: 'over it' });
    expect(ran).toMatchObject({ status: 200, body: { stdout: 'over it' } });
    const listed = await rest('GET', `${at('/files')}&path=/workspace`);
    expect(listed.body.entries.map(({ name }: { name: string }) => name)).toContain('relayed');
  });

  it('has a terminal', async () => {
    const typed = await plugin(['terminal', '-n', namespace(), 'kernel'], {
      stdin: 'echo from-$((6*7)); exit\n',
    });
    expect(typed.stdout).toContain('from-42');
  });
});

describe.runIf(hasGvisor)('a policy that requires gVisor', () => {
  const namespace = walkNamespace('walk-runtime');
  const policy = `
apiVersion: agenttier.io/v1alpha1
kind: GovernancePolicy
metadata:
  name: default
spec:
  requiredRuntimeClass: gvisor
`;

  beforeAll(async () => {
    await ok(apply(policy, namespace()));
  });
  afterAll(async () => {
    await kubectl(['delete', 'governancepolicy', 'default', '-n', namespace()]);
  });

  it('refuses a sandbox without it, and lets one with it in', async () => {
    const refused = await apply(minimalSandbox('plain'), namespace());
    expect(refused.code).not.toBe(0);
    expect(refused.stderr).toMatch(/spec.runtimeClass: is not set, the namespace policy requires gvisor/);
    const taken = kubectl(['apply', '--dry-run=server', '-n', namespace(), '-f', '-'], {
      stdin: minimalSandbox('guarded', GVISOR),
    });
    await ok(taken);
  });
});

describe('a runtime class that does not exist', () => {
  const namespace = walkNamespace('walk-noclass');

  it('is refused at admission, by name', async () => {
    const refused = await apply(minimalSandbox('lost', '  runtimeClass: no-such-class\n'), namespace());
    expect(refused.code).not.toBe(0);
    expect(refused.stderr).toMatch(/no-such-class, but the cluster has no RuntimeClass of that name/);
  });
});
