// SPDX-License-Identifier: Apache-2.0
import { openRest } from '../client/rest.ts';
import { sandboxNames } from '../client/sandboxes.ts';
import { type Host, write } from '../context/host.ts';
import type { VerbOptions } from '../context/verb.ts';
import { printAnswer, printRows } from '../printers/answer.ts';
import type { Column } from '../printers/table.ts';
import { namespaceFor } from '../terminal/run.ts';

interface Webhook {
  readonly id: string;
  readonly url: string;
  readonly eventTypes: readonly string[];
  readonly sandboxId?: string;
  readonly namespace: string;
  readonly disabled: boolean;
}

interface Delivery {
  readonly eventType: string;
  readonly timestamp: string;
  readonly statusCode?: number;
  readonly attempt: number;
  readonly success: boolean;
  readonly error?: string;
}

const WEBHOOKS: readonly Column<Webhook>[] = [
  { header: 'ID', value: ({ id }) => id },
  { header: 'URL', value: ({ url }) => url },
  { header: 'EVENT-TYPES', value: ({ eventTypes }) => eventTypes.join(',') },
  { header: 'SANDBOX', value: ({ sandboxId }) => sandboxId },
  { header: 'NAMESPACE', value: ({ namespace }) => namespace },
  { header: 'DISABLED', wide: true, value: ({ disabled }) => String(disabled) },
];
const DELIVERIES: readonly Column<Delivery>[] = [
  { header: 'EVENT', value: ({ eventType }) => eventType },
  { header: 'TIMESTAMP', value: ({ timestamp }) => timestamp },
  {
    header: 'STATUS',
    value: ({ statusCode }) => (statusCode === undefined ? undefined : String(statusCode)),
  },
  { header: 'ATTEMPT', value: ({ attempt }) => String(attempt) },
  { header: 'SUCCESS', value: ({ success }) => String(success) },
  { header: 'ERROR', wide: true, value: ({ error }) => error },
];

export interface CreateWebhookOptions extends VerbOptions {
  readonly eventTypes: string;
  readonly sandbox?: string;
}

export async function createWebhook(host: Host, options: CreateWebhookOptions): Promise<void> {
  const [url = ''] = options.args;
  const rest = await openRest(host, options);
  const namespace = await namespaceFor(host, options);
  const [sandboxId] = options.sandbox === undefined ? [] : sandboxNames([options.sandbox]);
  const body = {
    url,
    eventTypes: options.eventTypes.split(',').map((one) => one.trim()),
    ...(sandboxId === undefined ? {} : { sandboxId }),
    ...(namespace === undefined ? {} : { namespace }),
  };
  const made = await rest.call<Webhook & { secret: string; warning?: string }>('/webhooks', { body });
  if (made.warning !== undefined) await write(host.streams.err, `${made.warning}\n`);
  await printAnswer(host, options, made, `id: ${made.id}\nsecret: ${made.secret}`);
}

export async function listWebhooks(host: Host, options: VerbOptions): Promise<void> {
  const rest = await openRest(host, options);
  const answer = await rest.call<{ webhooks: readonly Webhook[] }>('/webhooks');
  const none = 'You have no subscriptions';
  await printRows(host, options, answer, { rows: answer.webhooks, columns: WEBHOOKS, none });
}

export async function deleteWebhook(host: Host, options: VerbOptions): Promise<void> {
  const [id = ''] = options.args;
  const rest = await openRest(host, options);
  const namespace = await namespaceFor(host, options);
  await rest.call(`/webhooks/${encodeURIComponent(id)}`, { method: 'DELETE' }, { namespace });
  await write(host.streams.out, `deleted ${id}\n`);
}

export async function listDeliveries(host: Host, options: VerbOptions): Promise<void> {
  const [id = ''] = options.args;
  const rest = await openRest(host, options);
  const namespace = await namespaceFor(host, options);
  const path = `/webhooks/${encodeURIComponent(id)}/deliveries`;
  const answer = await rest.call<{ deliveries: readonly Delivery[] }>(path, {}, { namespace });
  const none = 'Nothing has been delivered yet';
  await printRows(host, options, answer, { rows: answer.deliveries, columns: DELIVERIES, none });
}
