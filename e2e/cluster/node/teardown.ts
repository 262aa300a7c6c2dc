// SPDX-License-Identifier: Apache-2.0
import { existsSync, readFileSync, readdirSync, rmSync, rmdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { mounts } from '../clean.ts';
import { tryRun } from '../host/command.ts';
import { waitFor } from '../host/waitFor.ts';
import { RUNTIME, SHARED_FOLDERS, STATE, net, paths } from './layout.ts';
import { QUEUE_RULES } from './network.ts';
import { Processes, endProcess, parseParent, parseStartTime, readProc } from './processes.ts';
import { type Before, readBefore } from './state.ts';

interface Running {
  readonly pid: number;
  readonly parent: number;
  readonly startTime: string;
  readonly command: string;
}

function running(): Running[] {
  return readdirSync('/proc').flatMap((name) => {
    const pid = Number(name);
    const stat = Number.isInteger(pid) ? readProc(pid, 'stat') : undefined;
    if (stat === undefined) return [];
    const command = (readProc(pid, 'cmdline') ?? '').replaceAll('\0', ' ');
    return [{ pid, parent: parseParent(stat).parent, startTime: parseStartTime(stat) ?? '', command }];
  });
}

/** A process and all that descend from it, deepest first. */
export function withDescendants<T extends { pid: number; parent: number }>(root: T, all: readonly T[]): T[] {
  const children = all.filter((other) => other.parent === root.pid && other.pid !== root.pid);
  return [...children.flatMap((child) => withDescendants(child, all)), root];
}

/**
 * Ends all containers. A shim belongs to us when it was started for our containerd's socket; it is the subreaper of
 * its pod, so everything in the pod descends from it. Nothing else on the machine is touched.
 */
export async function endContainers(): Promise<void> {
  const all = running();
  const shims = all.filter(
    (one) => one.command.includes('containerd-shim') && one.command.includes(paths.containerdSocket),
  );
  const doomed = shims.flatMap((shim) => withDescendants(shim, all));
  await Promise.all(doomed.map((one) => endProcess(one, 0)));
}

/** Unmounts all below our folders, deepest first; what is busy is detached and goes when its last user ends. */
export async function unmountAll(...roots: readonly string[]): Promise<void> {
  for (const path of mounts().reverse()) {
    if (!roots.some((root) => path === root || path.startsWith(`${root}/`))) continue;
    const plain = await tryRun('umount', [path]);
    if (plain.code !== 0) await tryRun('umount', ['-l', path]);
  }
}

/** Families and names of nft tables. */
export function parseTables(listing: string): string[] {
  return listing.split('\n').flatMap((line) => /^table (\S+ \S+)/.exec(line)?.[1] ?? []);
}

const OUR_TABLES = [
  'ip agenttier',
  'ip kube-proxy',
  'ip6 kube-proxy',
  'inet kube-network-policies',
  'inet kindnet-network-policies',
];
/** Tables that the iptables command makes for itself as soon as one asks about a rule. */
const IPTABLES_TABLES = ['filter', 'nat', 'mangle', 'raw', 'security'].flatMap((name) => [
  `ip ${name}`,
  `ip6 ${name}`,
]);

async function removeFirewall(before: Before | undefined): Promise<void> {
  for (const [chain = '', ...match] of QUEUE_RULES) {
    while ((await tryRun('iptables', ['-w', '-D', chain, ...match])).code === 0);
  }
  const present = parseTables((await tryRun('nft', ['list', 'tables'])).stdout);
  for (const table of present) {
    const ours = OUR_TABLES.includes(table) || (isNew(table, before) && (await isEmptyIptables(table)));
    if (ours) await tryRun('nft', ['delete', 'table', ...table.split(' ')]);
  }
}

function isNew(table: string, before: Before | undefined): boolean {
  return (
    IPTABLES_TABLES.includes(table) &&
    before?.snapshot.firewall.every((line) => line !== `table ${table} {`) === true
  );
}

async function isEmptyIptables(table: string): Promise<boolean> {
  const content = (await tryRun('nft', ['list', 'table', ...table.split(' ')])).stdout;
  const rules = content.split('\n').map((line) => line.trim());
  return rules.every((line) => line === '' || line === '}' || /^(#|table |chain |type )/.test(line));
}

async function removeNetwork(): Promise<void> {
  await tryRun('conntrack', ['-D', '-s', net.podRange]);
  await tryRun('ip', ['link', 'delete', net.bridge]);
  // The kernel takes a namespace apart after its last user is gone, and a pod's interface with it.
  await waitFor({ what: 'interfaces of pods gone', deadlineMs: 10_000 }, async () => {
    const left = (await tryRun('ip', ['-o', 'link', 'show', 'type', 'veth'])).stdout;
    const ours = left.split('\n').filter((line) => line.includes(`master ${net.bridge}`));
    return ours.length === 0 ? true : `${ours.length} left`;
  });
}

function removeCgroups(): void {
  for (const controller of ['', ...readdirSync('/sys/fs/cgroup')]) {
    for (const name of ['kubepods', 'k8s.io']) removeCgroup(join('/sys/fs/cgroup', controller, name));
  }
}

/** A cgroup is removed by rmdir, from the leaves up; its files are not files that one could remove. */
function removeCgroup(folder: string): void {
  if (!existsSync(folder)) return;
  for (const entry of readdirSync(folder, { withFileTypes: true }))
    if (entry.isDirectory()) removeCgroup(join(folder, entry.name));
  try {
    rmdirSync(folder);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EBUSY') throw error; // a process of another node lives there
  }
}

function restoreSysctls(before: Before | undefined): void {
  for (const [name, value] of Object.entries(before?.sysctls ?? {})) {
    if (existsSync(join('/proc/sys', name))) writeFileSync(join('/proc/sys', name), value);
  }
}

/** Removes folders that were not there before; in one that was, only what a pod of ours can have left: dangling links. */
function removeSharedFolders(before: Before | undefined): void {
  for (const folder of SHARED_FOLDERS) {
    if (before?.newFolders.includes(folder) === true) rmSync(folder, { recursive: true, force: true });
  }
  for (const name of existsSync('/var/log/containers') ? readdirSync('/var/log/containers') : []) {
    const link = join('/var/log/containers', name);
    if (!existsSync(link)) rmSync(link, { force: true });
  }
}

/** After a crash or a restart of the machine: ends what outlived its supervisor, so that `up` starts from a clean floor. */
export async function clearRemains(): Promise<void> {
  await endContainers();
  await unmountAll(RUNTIME, paths.kubelet);
  rmSync(RUNTIME, { recursive: true, force: true });
}

/** Whether any process of the node is alive. */
export function anyAlive(processes: Processes, alive: (name: string) => boolean): boolean {
  return processes.names().some(alive);
}

/** Stops the node and removes every trace of it; works on a half-built or crashed one as well. */
export async function teardown(): Promise<void> {
  const before = readBefore();
  const processes = new Processes(paths.run);
  const last = ['containerd', 'kube-apiserver', 'etcd'];
  // The kubelet first: it would start again what we end. The API server stays for those that write as they end.
  await processes.stop('kubelet');
  await endContainers();
  await Promise.all(
    processes
      .names()
      .filter((name) => !last.includes(name))
      .map((name) => processes.stop(name)),
  );
  for (const name of last) await processes.stop(name);
  await endContainers();
  await unmountAll(STATE, RUNTIME);
  await removeNetwork();
  await removeFirewall(before);
  removeCgroups();
  restoreSysctls(before);
  removeSharedFolders(before);
  for (const folder of [STATE, RUNTIME]) rmSync(folder, { recursive: true, force: true });
}

/** Contents of the policy queue's table; empty when the kernel has no queues. */
export function readQueueTable(): string {
  try {
    return readFileSync('/proc/net/netfilter/nfnetlink_queue', 'utf8');
  } catch {
    return '';
  }
}
