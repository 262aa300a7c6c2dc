// SPDX-License-Identifier: Apache-2.0
import { readdirSync, readFileSync } from 'node:fs';

/**
 * Sends SIGKILL to the processes of a pod: no container runtime and no kubelet lets anybody say goodbye then. The pause
 * process may be spared, so that the pod keeps its network and only its containers start anew.
 */
export function killPod(uid: string, { sparePause = false } = {}): number {
  const mark = new RegExp(uid.replaceAll('-', '[-_]'));
  const pids = readdirSync('/proc').filter((name) => /^\d+$/.test(name) && mark.test(read(name, 'cgroup')));
  const doomed = sparePause ? pids.filter((pid) => read(pid, 'comm').trim() !== 'pause') : pids;
  for (const pid of doomed) process.kill(Number(pid), 'SIGKILL');
  return doomed.length;
}

function read(pid: string, file: 'cgroup' | 'comm'): string {
  try {
    return readFileSync(`/proc/${pid}/${file}`, 'utf8');
  } catch {
    return ''; // it has ended
  }
}
