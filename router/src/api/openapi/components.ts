// SPDX-License-Identifier: Apache-2.0
import type { TSchema } from 'typebox';

/** A JSON Schema as it stands in a document. */
export type JsonSchema = Readonly<Record<string, unknown>>;

/**
 * Schemas that have a `title` are written down once, under that name, and referred to elsewhere. Throws when two that
 * differ have the same title: whoever reads one of them would take it for the other.
 */
export class Components {
  readonly #schemas = new Map<string, { readonly from: string; readonly schema: JsonSchema }>();

  /** The schema with every titled part replaced by a reference. */
  refer(schema: TSchema): JsonSchema {
    const plain = schema as JsonSchema;
    const { title } = plain;
    if (typeof title !== 'string') return this.#inside(plain);
    const from = JSON.stringify(plain);
    const known = this.#schemas.get(title);
    if (known !== undefined && known.from !== from) throw new Error(`two schemas have the title ${title}`);
    // Set before descending, or a schema that holds itself would never end.
    if (known === undefined) {
      this.#schemas.set(title, { from, schema: {} });
      const { title: _, ...rest } = plain;
      this.#schemas.set(title, { from, schema: this.#inside(rest) });
    }
    return { $ref: `#/components/schemas/${title}` };
  }

  /** All of them, by name. */
  all(): Record<string, JsonSchema> {
    const sorted = [...this.#schemas].sort(([a], [b]) => (a < b ? -1 : 1));
    return Object.fromEntries(sorted.map(([name, { schema }]) => [name, schema]));
  }

  #inside(schema: JsonSchema): JsonSchema {
    return Object.fromEntries(Object.entries(schema).map(([key, value]) => [key, this.#part(key, value)]));
  }

  #part(key: string, value: unknown): unknown {
    if (MAPS.has(key)) {
      const entries = Object.entries(value as Record<string, TSchema>);
      return Object.fromEntries(entries.map(([name, part]) => [name, this.refer(part)]));
    }
    if (LISTS.has(key)) return (value as TSchema[]).map((part) => this.refer(part));
    return SINGLES.has(key) && isSchema(value) ? this.refer(value) : value;
  }
}

/** Keywords of JSON Schema that hold schemas by name, in a list, and alone. */
const MAPS: ReadonlySet<string> = new Set(['properties', 'patternProperties']);
const LISTS: ReadonlySet<string> = new Set(['anyOf', 'oneOf', 'allOf', 'prefixItems']);
const SINGLES: ReadonlySet<string> = new Set(['items', 'additionalProperties', 'not']);

const isSchema = (value: unknown): value is TSchema => typeof value === 'object' && value !== null;
