// SPDX-License-Identifier: Apache-2.0
import { openRest } from '../client/rest.ts';
import { CommandError } from '../context/failure.ts';
import type { Host } from '../context/host.ts';
import type { VerbOptions } from '../context/verb.ts';
import { printAnswer, printRows } from '../printers/answer.ts';
import type { Column } from '../printers/table.ts';

type Facts = Readonly<Record<string, string | number | boolean>>;

/** One fact a line, in the order in which they came. */
const factLines = (facts: Facts): string =>
  Object.entries(facts)
    .map(([name, value]) => `${name}: ${value}`)
    .join('\n');

export async function clusterStatus(host: Host, options: VerbOptions): Promise<void> {
  const rest = await openRest(host, options);
  const status = await rest.call<Facts>('/cluster/status');
  await printAnswer(host, options, status, factLines(status));
}

interface Amount {
  readonly cpuMillis: number;
  readonly memBytes: number;
}

interface Node {
  readonly name: string;
  readonly ready: boolean;
  readonly instanceType?: string;
  readonly nodeGroup?: string;
  readonly allocatable: Amount;
  readonly requests: Amount;
}

const share = (used: number, total: number): string =>
  total === 0 ? '0%' : `${Math.round((used / total) * 100)}%`;

const COLUMNS: readonly Column<Node>[] = [
  { header: 'NAME', value: ({ name }) => name },
  { header: 'READY', value: ({ ready }) => String(ready) },
  { header: 'INSTANCE-TYPE', value: ({ instanceType }) => instanceType },
  { header: 'NODE-GROUP', value: ({ nodeGroup }) => nodeGroup },
  { header: 'CPU', value: ({ allocatable, requests }) => share(requests.cpuMillis, allocatable.cpuMillis) },
  { header: 'MEMORY', value: ({ allocatable, requests }) => share(requests.memBytes, allocatable.memBytes) },
];

export async function listNodes(host: Host, options: VerbOptions): Promise<void> {
  const rest = await openRest(host, options);
  const answer = await rest.call<{ nodes: readonly Node[] }>('/cluster/nodes');
  await printRows(host, options, answer, { rows: answer.nodes, columns: COLUMNS, none: 'No nodes found' });
}

export interface HeadroomOptions extends VerbOptions {
  readonly replicas?: string;
  readonly cpu?: string;
  readonly memory?: string;
}

export async function headroom(host: Host, options: HeadroomOptions): Promise<void> {
  const { replicas, cpu, memory } = options;
  if (replicas === undefined && (cpu ?? memory) !== undefined) {
    throw new CommandError('--cpu and --memory need --replicas', 2);
  }
  if (replicas !== undefined && !/^\d+$/.test(replicas)) {
    throw new CommandError(`--replicas: ${JSON.stringify(replicas)} is not a whole number`, 2);
  }
  const rest = await openRest(host, options);
  const body = { replicas: Number(replicas), ...(cpu ? { cpu } : {}), ...(memory ? { memory } : {}) };
  const facts = await rest.call<Facts>(
    '/cluster/headroom',
    replicas === undefined ? {} : { method: 'PUT', body },
  );
  await printAnswer(host, options, facts, factLines(facts));
}
