// SPDX-License-Identifier: Apache-2.0
import { readdirSync, readFileSync } from 'node:fs';
import { getJson, kubectl, ok } from './harness.ts';

const NAMESPACE = 'agenttier';

export interface RouterPod {
  readonly name: string;
  readonly uid: string;
  readonly restarts: number;
}

export async function routerPods(): Promise<RouterPod[]> {
  const { items } = await getJson(['pods', '-n', NAMESPACE, '-l', 'app.kubernetes.io/component=router']);
  return (items as { metadata: Json; status: Json }[]).map(({ metadata, status }) => ({
    name: metadata.name,
    uid: metadata.uid,
    restarts: status.containerStatuses?.[0]?.restartCount ?? 0,
  }));
}

// oxlint-disable-next-line typescript/no-explicit-any -- whatever kubectl answers
type Json = any;

/** One figure of one replica, summed over its labels; undefined while it cannot be asked. */
export async function figureOf(pod: string, name: string): Promise<number | undefined> {
  const path = `/api/v1/namespaces/${NAMESPACE}/pods/http:${pod}:8080/proxy/metrics`;
  const { code, stdout } = await kubectl(['get', '--raw', path]);
  if (code !== 0) return undefined;
  const lines = stdout
    .split('\n')
    .filter((line) => line.startsWith(`${name}{`) || line.startsWith(`${name} `));
  return lines.reduce((sum, line) => sum + Number(line.slice(line.lastIndexOf(' ') + 1)), 0);
}

/** Sends SIGKILL to all processes of a pod: no container runtime and no kubelet lets anybody say goodbye then. */
export function killPod(uid: string): number {
  const mark = new RegExp(uid.replaceAll('-', '[-_]'));
  const pids = readdirSync('/proc').filter((name) => /^\d+$/.test(name) && mark.test(cgroupOf(name)));
  for (const pid of pids) process.kill(Number(pid), 'SIGKILL');
  return pids.length;
}

function cgroupOf(pid: string): string {
  try {
    return readFileSync(`/proc/${pid}/cgroup`, 'utf8');
  } catch {
    return ''; // it has ended
  }
}

/** Waits for both replicas to take requests again. */
export const routersReady = (): Promise<string> =>
  ok(
    kubectl(['rollout', 'status', '-n', NAMESPACE, 'deployment/agenttier-router', '--timeout=120s'], {
      timeoutMs: 130_000,
    }),
  );
