// SPDX-License-Identifier: Apache-2.0
import type { Operations } from '@agenttier/client';
import type { Server } from './server.ts';

export { EVENT_TYPES } from '@agenttier/crds/subscription/eventTypes';

export type Webhook = Operations['listWebhooks']['answer']['webhooks'][number];
export type NewWebhook = Operations['createWebhook']['body'];
export type MintedWebhook = Operations['createWebhook']['answer'];
export type Delivery = Operations['listDeliveries']['answer']['deliveries'][number];

export async function listWebhooks({ api }: Server, signal: AbortSignal): Promise<readonly Webhook[]> {
  return (await api.listWebhooks({}, { signal })).webhooks;
}

/** The secret in the answer is shown this once. */
export const createWebhook = ({ api }: Server, body: NewWebhook): Promise<MintedWebhook> =>
  api.createWebhook({ body });

const placeOf = ({ id, namespace }: Webhook) => ({ params: { webhook: id }, query: { namespace } });

export async function deleteWebhook({ api }: Server, webhook: Webhook): Promise<void> {
  await api.deleteWebhook(placeOf(webhook));
}

/** The last tries, the newest first. */
export async function listDeliveries({ api }: Server, webhook: Webhook): Promise<readonly Delivery[]> {
  return (await api.listDeliveries(placeOf(webhook))).deliveries;
}
