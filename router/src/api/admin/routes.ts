// SPDX-License-Identifier: Apache-2.0
import { Type } from 'typebox';
import { KeyView } from '../keys/routes.ts';
import type { Route } from '../route.ts';
import { OwnerBody, SandboxBody } from '../sandboxes/routes.ts';
import { Continue, pageQuery, Text } from '../schemas.ts';
import { SharingBody } from '../sharing/routes.ts';

const TAG = 'Administration';
const PlaceQuery = pageQuery({ namespace: Type.Optional(Text) });

export const adminRoutes = [
  {
    method: 'get',
    path: '/admin/sandboxes',
    operation: 'listAllSandboxes',
    tag: TAG,
    summary: "Lists everybody's sandboxes, with the keys that are bound to each.",
    admin: true,
    query: PlaceQuery,
    answers: {
      200: Type.Object({
        sandboxes: Type.Array(
          Type.Intersect([SandboxBody, Type.Object({ scopedApiKeys: Type.Optional(Type.Array(KeyView)) })]),
        ),
        continue: Continue,
      }),
    },
  },
  {
    method: 'get',
    path: '/admin/sharing',
    operation: 'listAllSharing',
    tag: TAG,
    summary: 'Lists the sandboxes that are shared, with whom and by which links.',
    admin: true,
    query: PlaceQuery,
    answers: {
      200: Type.Object({
        sandboxes: Type.Array(
          Type.Intersect([
            Type.Object({
              sandboxId: Text,
              namespace: Text,
              createdBy: Type.Optional(OwnerBody),
            }),
            SharingBody,
          ]),
        ),
        continue: Continue,
      }),
    },
  },
] as const satisfies readonly Route[];
