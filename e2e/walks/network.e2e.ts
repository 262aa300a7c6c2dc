// SPDX-License-Identifier: Apache-2.0
import { beforeAll, describe, expect, it } from 'vitest';
import {
  apply,
  getJson,
  inSandbox,
  kubectl,
  minimalSandbox,
  ok,
  until,
  untilPhase,
  walkNamespace,
} from './harness.ts';

/** Exit code of a TCP connect from the sandbox: 0 when it stands, 124 when nothing answered within three seconds. */
const connect = (host: string, port: number) =>
  `timeout 3 bash -c 'exec 3<>/dev/tcp/${host}/${port}'; echo $?`;

/** Milliseconds since the epoch, by the API server's own clock in whole seconds: the date of its answer to kubectl. */
const deletionTime = (trace: string): number =>
  Date.parse(/DELETE[\s\S]*?Date: ([^\n]*GMT)/.exec(trace)?.[1] ?? '');

describe('the network of a sandbox', () => {
  const namespace = walkNamespace('walk-network');
  let peerAddress = '';
  const tried = async (from: string, host: string, port: number) =>
    (await ok(inSandbox(from, namespace(), connect(host, port)))).trim().split('\n').at(-1);

  beforeAll(async () => {
    await ok(apply(minimalSandbox('closed'), namespace()));
    await ok(apply(minimalSandbox('peer'), namespace()));
    await untilPhase('closed', namespace(), 'Running');
    await untilPhase('peer', namespace(), 'Running');
    peerAddress = (await getJson(['pod', 'peer-pod', '-n', namespace()])).status.podIP;
  });

  it('resolves names', async () => {
    const answer = await ok(
      inSandbox('closed', namespace(), 'getent hosts kubernetes.default.svc.cluster.local'),
    );
    expect(answer).toContain('kubernetes.default.svc.cluster.local');
  });

  it('reaches neither the API server nor another sandbox', async () => {
    expect(await tried('closed', 'kubernetes.default.svc', 443)).toBe('124');
    expect(await tried('closed', peerAddress, 9000)).toBe('124');
  });

  it('opens what a template opens, and only that', async () => {
    const router = (await getJson(['pods', '-n', 'agenttier', '-l', 'app.kubernetes.io/component=router']))
      .items[0].status.podIP as string;
    const opened = `
apiVersion: agenttier.io/v1alpha1
kind: SandboxTemplate
metadata:
  name: opened
spec:
  inheritsFrom:
    kind: ClusterSandboxTemplate
    name: minimal-shell
  network:
    egressRules:
      - cidr: ${router}/32
        ports: [{ port: 8080 }]
`;
    await ok(apply(opened, namespace()));
    await ok(apply(minimalSandbox('open').replace('minimal-shell', 'opened'), namespace()));
    await untilPhase('open', namespace(), 'Running');
    expect(await tried('closed', router, 8080)).toBe('124');
    await until('the opened port to answer', async () => (await tried('open', router, 8080)) === '0');
    expect(await tried('open', peerAddress, 9000)).toBe('124');
  });

  it('allowInternet opens neither the cluster nor the metadata service', async () => {
    await ok(apply(minimalSandbox('wide', '  network:\n    allowInternet: true\n'), namespace()));
    await untilPhase('wide', namespace(), 'Running');
    expect(await tried('wide', '169.254.169.254', 80)).not.toBe('0');
    expect(await tried('wide', 'kubernetes.default.svc', 443)).toBe('124');
    expect(await tried('wide', peerAddress, 9000)).toBe('124');
  });

  it('closes again within a second when somebody deletes its NetworkPolicy', async () => {
    const policy = ['networkpolicy', 'closed-netpol', '-n', namespace()];
    const before = await getJson(policy);
    const gaps: number[] = [];
    for (let i = 0; i < 3; i++) {
      const deleted = await kubectl(['delete', ...policy, '-v=8']);
      const after = await until('the NetworkPolicy to come back', async () => getJson(policy));
      expect(after.spec).toEqual(before.spec);
      expect(after.metadata.uid).not.toBe(before.metadata.uid);
      gaps.push(Date.parse(after.metadata.creationTimestamp) - deletionTime(deleted.stderr));
    }
    // Of three, so that one moment in which the machine stood still does not count.
    expect(gaps.toSorted((x, y) => x - y)[1]).toBeLessThanOrEqual(1_000);
  });
});
