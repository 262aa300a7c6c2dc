// SPDX-License-Identifier: Apache-2.0
import { Type } from 'typebox';
import type { Route } from '../route.ts';
import { Text } from '../schemas.ts';

export const changeRoutes = [
  {
    method: 'get',
    path: '/events/stream',
    operation: 'followChanges',
    tag: 'Changes',
    summary:
      "Tells of changes of sandboxes, templates, warm pools, policies and one's own webhooks and keys as they happen.",
    query: Type.Object({
      lastEventId: Type.Optional(
        Type.String({ description: 'where to go on; the header Last-Event-ID does the same' }),
      ),
      namespace: Type.Optional(Text),
    }),
    answers: { 200: 'events' },
  },
] as const satisfies readonly Route[];
