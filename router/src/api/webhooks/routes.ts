// SPDX-License-Identifier: Apache-2.0
import { Type } from 'typebox';
import type { Route } from '../route.ts';
import { Continue, NamespaceQuery, pageQuery, SMALL_LIMIT, Text, Timestamp } from '../schemas.ts';

const TAG = 'Webhooks';

const Subscription = {
  id: Text,
  url: Text,
  eventTypes: Type.Array(Text),
  createdAt: Timestamp,
  disabled: Type.Boolean(),
  disabledReason: Type.Optional(Text),
  scope: Type.String({ description: 'Own, Namespace or Cluster' }),
  sandboxId: Type.Optional(Text),
  namespace: Text,
};

const Delivery = Type.Object({
  id: Text,
  eventType: Text,
  timestamp: Timestamp,
  statusCode: Type.Optional(Type.Integer()),
  attempt: Type.Integer(),
  success: Type.Boolean(),
  error: Type.Optional(Text),
});

export const webhookRoutes = [
  {
    method: 'post',
    path: '/webhooks',
    operation: 'createWebhook',
    tag: TAG,
    summary: 'Has events posted to an address; the key that signs them is in this answer and nowhere else.',
    body: {
      schema: Type.Object({
        url: Type.String({ description: 'https, on a public address' }),
        eventTypes: Type.Array(Text, { minItems: 1, maxItems: 32 }),
        sandboxId: Type.Optional(
          Type.String({ description: 'of one sandbox only; administrators may leave it out' }),
        ),
        namespace: Type.Optional(Text),
      }),
      limit: SMALL_LIMIT,
    },
    answers: { 201: Type.Object({ ...Subscription, secret: Text, warning: Text }) },
  },
  {
    method: 'get',
    path: '/webhooks',
    operation: 'listWebhooks',
    tag: TAG,
    summary: "Lists the caller's own subscriptions.",
    query: pageQuery({}),
    answers: {
      200: Type.Object({ webhooks: Type.Array(Type.Object(Subscription)), continue: Continue }),
    },
  },
  {
    method: 'delete',
    path: '/webhooks/:webhook',
    operation: 'deleteWebhook',
    tag: TAG,
    summary: 'Ends a subscription.',
    query: NamespaceQuery,
    answers: { 204: 'nothing' },
  },
  {
    method: 'get',
    path: '/webhooks/:webhook/deliveries',
    operation: 'listDeliveries',
    tag: TAG,
    summary: 'Shows the last 20 tries, the newest first.',
    query: NamespaceQuery,
    answers: { 200: Type.Object({ deliveries: Type.Array(Delivery) }) },
  },
] as const satisfies readonly Route[];
