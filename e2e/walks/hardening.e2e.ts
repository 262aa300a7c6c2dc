// SPDX-License-Identifier: Apache-2.0
import { beforeAll, describe, expect, it } from 'vitest';
import { apply, getJson, inSandbox, minimalSandbox, ok, untilPhase, walkNamespace } from './harness.ts';

describe('inside the pod', () => {
  const namespace = walkNamespace('walk-hardening');
  const shell = async (script: string) => (await ok(inSandbox('hard', namespace(), script))).trim();

  beforeAll(async () => {
    await ok(apply(minimalSandbox('hard'), namespace()));
    await untilPhase('hard', namespace(), 'Running');
  });

  it('runs as user 1000, in a namespace that enforces Pod Security "restricted"', async () => {
    expect(await shell('id -u; id -g')).toBe('1000\n1000');
  });

  it('cannot write its root, and can write its workspace', async () => {
    expect(await shell('touch /probe 2>&1; touch /etc/probe 2>&1; true')).toMatch(
      /Read-only file system[^]*Read-only/,
    );
    expect(await shell('echo kept > /workspace/probe && cat /workspace/probe')).toBe('kept');
  });

  it('has no capability, gains none, and is under seccomp', async () => {
    const status = await shell('cat /proc/self/status');
    for (const set of ['CapInh', 'CapPrm', 'CapEff', 'CapBnd', 'CapAmb']) {
      expect(status).toMatch(new RegExp(`${set}:\\s+0{16}`));
    }
    expect(status).toMatch(/NoNewPrivs:\s+1/);
    expect(status).toMatch(/Seccomp:\s+2/);
  });

  it('has /tmp in memory', async () => {
    expect(await shell('awk \'$2 == "/tmp" { print $3 }\' /proc/mounts')).toBe('tmpfs');
  });

  it('holds no ServiceAccount token', async () => {
    expect(await shell('ls /var/run/secrets/kubernetes.io 2>&1; true')).toContain('No such file');
    const pod = await getJson(['pod', 'hard-pod', '-n', namespace()]);
    expect(pod.spec.serviceAccountName).toBe('sbx-hard');
    expect(pod.spec.automountServiceAccountToken).toBe(false);
  });

  it('gives no child the runtime token, nor the addresses of other Services', async () => {
    const environment = await shell('env');
    expect(environment).not.toMatch(/TOKEN/i);
    expect(environment).not.toMatch(/AGENTTIER_.*(KEY|SECRET)/);
    expect(environment).not.toMatch(/_SERVICE_HOST=.*\n.*_SERVICE_HOST/);
  });
});
