// SPDX-License-Identifier: Apache-2.0
import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { tryRun } from './host/command.ts';
import { RUNTIME, SHARED_FOLDERS, STATE } from './node/layout.ts';

/** Traces that a node can leave on a machine, each kind as a list of lines that can be compared. */
export interface Snapshot {
  readonly links: readonly string[];
  readonly namespaces: readonly string[];
  readonly mounts: readonly string[];
  readonly firewall: readonly string[];
  readonly cgroups: readonly string[];
  readonly folders: readonly string[];
  readonly processes: readonly string[];
}

/** Mount points of this mount namespace, from /proc/self/mountinfo; blanks are escaped there as \040. */
export function parseMounts(mountinfo: string): string[] {
  return mountinfo
    .split('\n')
    .flatMap((line) => line.split(' ')[4] ?? [])
    .map((path) =>
      path.replaceAll(/\\([0-7]{3})/g, (_, octal: string) => String.fromCharCode(Number.parseInt(octal, 8))),
    );
}

export function mounts(): string[] {
  return parseMounts(readFileSync('/proc/self/mountinfo', 'utf8'));
}

/** Rules without their counters and handles, which change by themselves. */
export function parseRules(ruleset: string): string[] {
  return ruleset
    .split('\n')
    .map((line) =>
      line
        .replaceAll(/counter packets \d+ bytes \d+/g, 'counter')
        .replace(/\[\d+:\d+\]/, '')
        .trim(),
    )
    .filter((line) => line !== '' && !line.startsWith('#'));
}

const lines = async (file: string, ...args: readonly string[]): Promise<string[]> =>
  (await tryRun(file, args)).stdout.split('\n').filter((line) => line !== '');

function list(folder: string): string[] {
  return existsSync(folder) ? readdirSync(folder) : [];
}

/** Processes that belong to a node: started from its folders, or living in a pod's cgroup. */
export function nodeProcesses(): string[] {
  return list('/proc').flatMap((pid) => {
    if (!/^\d+$/.test(pid) || Number(pid) === process.pid) return [];
    try {
      const command = readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ').trim();
      const inPod = readFileSync(`/proc/${pid}/cgroup`, 'utf8').includes('/kubepods');
      return inPod || command.includes(`${STATE}/`) || command.includes(`${RUNTIME}/`)
        ? [`${pid} ${command.slice(0, 150)}`]
        : [];
    } catch {
      return []; // ended while we looked
    }
  });
}

/** Everything at once; runs in well under a second. */
export async function takeSnapshot(): Promise<Snapshot> {
  const [links, namespaces, nft, v4, v6] = await Promise.all([
    lines('ip', '-o', 'link', 'show'),
    lines('ip', 'netns', 'list'),
    lines('nft', 'list', 'ruleset'),
    lines('iptables-save'),
    lines('ip6tables-save'),
  ]);
  return {
    links: links.map((line) => line.split(': ')[1]?.split('@')[0] ?? line),
    namespaces,
    mounts: mounts(),
    firewall: [...parseRules(nft.join('\n')), ...parseRules(v4.join('\n')), ...parseRules(v6.join('\n'))],
    cgroups: list('/sys/fs/cgroup').flatMap((controller) => {
      const pods = [`/sys/fs/cgroup/${controller}/kubepods`, `/sys/fs/cgroup/${controller}/k8s.io`];
      return pods.filter((folder) => existsSync(folder));
    }),
    folders: [STATE, RUNTIME, ...SHARED_FOLDERS].filter((folder) => existsSync(folder)),
    processes: nodeProcesses(),
  };
}

/** What is in `after` and was not in `before`, each line with its kind; empty when nothing was left behind. */
export function leftovers(before: Snapshot, after: Snapshot): string[] {
  const kinds = Object.keys(after) as (keyof Snapshot)[];
  return kinds.flatMap((kind) => {
    const known = new Set(before[kind]);
    return after[kind].filter((line) => !known.has(line)).map((line) => `${kind}: ${line}`);
  });
}
