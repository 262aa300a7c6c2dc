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

/** `?dryRun=true` of writes: everything is judged as ever, and nothing is stored. */
const DryRun = Type.Optional(Type.Boolean({ description: 'asks for the verdict only: nothing is stored' }));

/** Queries of writes that go through admission, and of those that are about no namespace. */
export const WriteQuery = Type.Object({ namespace: Type.Optional(Text), dryRun: DryRun });
export const DryRunQuery = Type.Object({ dryRun: DryRun });

/** What admission remarked about a write that it let through. */
export const Warnings = Type.Optional(Type.Array(Text));

/** RFC 1123 subdomain: how the API server names most objects. */
export const NAME_PATTERN = '^[a-z0-9]([-.a-z0-9]*[a-z0-9])?$';
export const ObjectName = Type.String({
  pattern: NAME_PATTERN,
  maxLength: 253,
  description: 'lower-case letters, digits, hyphens and dots, beginning and ending with a letter or digit',
});

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
