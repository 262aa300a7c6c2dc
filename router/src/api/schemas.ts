// SPDX-License-Identifier: Apache-2.0
import { Type } from 'typebox';
import type { TSchema } from 'typebox';

/** Schemas that several rooms use. Requests are open: members that nobody knows are ignored, as older clients rely on. */

/** A Sandbox of 1.5 MiB would not fit into etcd either. */
export const SPEC_LIMIT = 1024 * 1024;
/** Enough for everything that is no object of the cluster. */
export const SMALL_LIMIT = 64 * 1024;

/** A sentence or a duration or a quantity: what it means is judged by whoever knows. */
export const Text = Type.String();

export const DurationText = Type.String({ description: 'a duration such as "30m", "1h30m" or "500ms"' });

export const Timestamp = Type.String({ format: 'date-time' });

/** Any JSON object; its schema is kept elsewhere, in the CRDs for the most part. */
export const AnyObject = Type.Record(Type.String(), Type.Unknown());

export const TextMap = Type.Record(Type.String(), Type.String());

/** `?namespace=` of routes on one sandbox: needed when its name exists in several. */
export const NamespaceQuery = Type.Object({ namespace: Type.Optional(Text) });

/** `?limit=&continue=` of a list, beside whatever else it can be narrowed by. */
export const pageQuery = <T extends Record<string, TSchema>>(others: T) =>
  Type.Object({
    ...others,
    limit: Type.Optional(Type.Integer({ minimum: 1, maximum: 1000 })),
    continue: Type.Optional(Type.String({ description: 'the `continue` of the page before' })),
  });

/** On lists that have more to show. */
export const Continue = Type.Optional(
  Type.String({ description: 'asks for the next page; absent on the last one' }),
);

export const Violation = Type.Object(
  {
    code: Text,
    field: Text,
    message: Text,
    limit: Type.Optional(Type.Unknown()),
    actual: Type.Optional(Type.Unknown()),
    scope: Type.Optional(Text),
  },
  { title: 'Violation' },
);

/** Body of every answer that is no success. */
export const Problem = Type.Object(
  {
    error: Type.String({ description: 'a code of the catalogue, or a sentence for people' }),
    message: Type.Optional(Text),
    violations: Type.Optional(Type.Array(Violation)),
  },
  { title: 'Problem' },
);
