// SPDX-License-Identifier: Apache-2.0
import { readFile } from 'node:fs/promises';
import { text } from 'node:stream/consumers';
import { openRest } from '../client/rest.ts';
import { CommandError, messageOf } from '../context/failure.ts';
import type { Host } from '../context/host.ts';
import type { VerbOptions } from '../context/verb.ts';
import { printAnswer, printRows } from '../printers/answer.ts';
import type { Column } from '../printers/table.ts';

interface AuditEvent {
  readonly timestamp: string;
  readonly eventType: string;
  readonly sandboxName?: string;
  readonly namespace: string;
  readonly user?: string;
  readonly userEmail?: string;
  readonly outcome?: string;
  readonly name?: string;
}

const EVENTS: readonly Column<AuditEvent>[] = [
  { header: 'TIMESTAMP', value: ({ timestamp }) => timestamp },
  { header: 'EVENT', value: ({ eventType }) => eventType },
  { header: 'SANDBOX', value: ({ sandboxName, name }) => sandboxName || name },
  { header: 'NAMESPACE', value: ({ namespace }) => namespace },
  { header: 'WHO', value: ({ user, userEmail }) => userEmail || user },
  { header: 'OUTCOME', wide: true, value: ({ outcome }) => outcome },
];

/** A namespace narrows these down only when it is named: that of the kubeconfig says nothing about the router. */
const placeOf = ({ namespace }: VerbOptions): { namespace: string | undefined } => ({ namespace });

export async function showAudit(
  host: Host,
  options: VerbOptions & { readonly limit: string },
): Promise<void> {
  if (!/^[1-9]\d{0,3}$/.test(options.limit)) {
    throw new CommandError(`--limit: ${JSON.stringify(options.limit)} is not a number from 1 to 9999`, 2);
  }
  const rest = await openRest(host, options);
  const query = { ...placeOf(options), limit: options.limit };
  const answer = await rest.call<{ events: readonly AuditEvent[] }>('/audit/events', {}, query);
  await printRows(host, options, answer, { rows: answer.events, columns: EVENTS, none: 'No events found' });
}

interface Usage {
  readonly total_sandboxes: number;
  readonly status_breakdown: Readonly<Record<string, number>>;
  readonly template_breakdown: Readonly<Record<string, number>>;
  readonly avg_startup_ms: number;
  readonly startup_sample_count: number;
}

const counts = (title: string, of: Readonly<Record<string, number>>): string[] =>
  Object.entries(of).map(([name, count]) => `${title} ${name}: ${count}`);

export async function showUsage(host: Host, options: VerbOptions): Promise<void> {
  const rest = await openRest(host, options);
  const usage = await rest.call<Usage>('/analytics/usage', {}, placeOf(options));
  const lines = [
    `sandboxes: ${usage.total_sandboxes}`,
    ...counts('state', usage.status_breakdown),
    ...counts('template', usage.template_breakdown),
    `average start: ${usage.avg_startup_ms} ms of ${usage.startup_sample_count}`,
  ];
  await printAnswer(host, options, usage, lines.join('\n'));
}

interface CostLine {
  readonly template: string;
  readonly hourly_cost: number;
  readonly cost_to_date?: number;
  readonly count: number;
}

const money = (value: number | undefined): string | undefined => value?.toFixed(4);

const COSTS: readonly Column<CostLine>[] = [
  { header: 'TEMPLATE', value: ({ template }) => template },
  { header: 'SANDBOXES', value: ({ count }) => String(count) },
  { header: 'PER-HOUR', value: ({ hourly_cost }) => money(hourly_cost) },
  { header: 'TO-DATE', value: ({ cost_to_date }) => money(cost_to_date) },
];

export async function showCosts(host: Host, options: VerbOptions): Promise<void> {
  const rest = await openRest(host, options);
  const costs = await rest.call<{ per_template: readonly CostLine[] }>(
    '/analytics/costs',
    {},
    placeOf(options),
  );
  await printRows(host, options, costs, {
    rows: costs.per_template,
    columns: COSTS,
    none: 'Nothing costs anything',
  });
}

export async function preferences(host: Host, options: VerbOptions): Promise<void> {
  const [file] = options.args;
  const rest = await openRest(host, options);
  const call = file === undefined ? {} : { method: 'PUT', body: await readObject(host, file) };
  const stored = await rest.call('/user/preferences', call);
  await printAnswer(host, options, stored, JSON.stringify(stored, null, 2));
}

async function readObject(host: Host, file: string): Promise<object> {
  try {
    const value: unknown = JSON.parse(
      file === '-' ? await text(host.streams.in) : await readFile(file, 'utf8'),
    );
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value;
  } catch (error) {
    throw new CommandError(`${file} cannot be used: ${messageOf(error)}`, 1, error);
  }
  throw new CommandError(`${file} must hold one JSON object`);
}
