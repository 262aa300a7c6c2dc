// SPDX-License-Identifier: Apache-2.0
import { fieldAt, memberOf } from '@agenttier/crds/meta/fieldSchema';
import type { FieldSchema } from '@agenttier/crds/meta/fieldSchema';
import { isMap, isPair, isScalar, isSeq } from 'yaml';
import type { Document, Node, Pair } from 'yaml';
import type { TextProblem } from '../../controllers/yamlText.ts';
import type { Place } from './place.ts';

/** Something that can be written at a place. */
export interface Offer {
  readonly label: string;
  /** What is written, the label and what leads on from it. */
  readonly insert: string;
  readonly kind: 'name' | 'value';
  readonly type: string;
  readonly description: string | undefined;
}

/** What can be written at a place: names that its object does not have yet, or the values of its field. */
export function offersAt(schema: FieldSchema, place: Place): Offer[] {
  const holder = fieldAt(schema, place.within);
  if (holder === undefined) return [];
  if (place.field !== undefined) return valuesOf(memberOf(holder, place.field));
  if (holder.properties === undefined) return valuesOf(holder);
  return Object.entries(holder.properties)
    .filter(([name]) => !place.siblings.has(name))
    .map(([name, field]) => ({
      label: name,
      insert: `${name}:${leadOn(field, place.indent)}`,
      kind: 'name',
      type: typeText(field),
      description: field.description,
    }));
}

/** What a field is written by, as far as the schema knows: its type, and the values that there are. */
export function typeText({ type, enum: values, items }: FieldSchema): string {
  if (values !== undefined) return values.join(' | ');
  return type === 'array' ? `list of ${typeText(items ?? {})}` : (type ?? 'any');
}

function valuesOf(field: FieldSchema | undefined): Offer[] {
  const values = field?.type === 'boolean' ? ['true', 'false'] : (field?.enum ?? []);
  return values.map((value) => ({
    label: value,
    insert: value,
    kind: 'value',
    type: '',
    description: undefined,
  }));
}

function leadOn({ type, properties, items }: FieldSchema, indent: number): string {
  const next = `\n${' '.repeat(indent + 2)}`;
  if (type === 'array') return items?.type === undefined ? ' ' : `${next}- `;
  return type === 'object' || properties !== undefined ? next : ' ';
}

/** What is worded by whoever shows it. */
export interface Wording {
  unknown(name: string): string;
  noValue(value: string, values: string): string;
}

/** Names that there are not, and values that a field cannot have. All else is for admission to say. */
export function faultsIn(document: Document, schema: FieldSchema, say: Wording): TextProblem[] {
  return faultsOf(document.contents, schema, say);
}

function faultsOf(node: Node | null, schema: FieldSchema, say: Wording): TextProblem[] {
  if (isSeq(node)) {
    const { items } = schema;
    return items === undefined ? [] : node.items.flatMap((item) => faultsOf(item as Node, items, say));
  }
  if (isMap(node)) return node.items.flatMap((pair) => faultsOfPair(pair, schema, say));
  if (!isScalar(node) || schema.enum === undefined || typeof node.value !== 'string') return [];
  if (node.value === '' || schema.enum.includes(node.value)) return [];
  return [{ ...rangeOf(node), message: say.noValue(node.value, schema.enum.join(', ')) }];
}

function faultsOfPair(pair: Pair, schema: FieldSchema, say: Wording): TextProblem[] {
  if (!isPair(pair) || !isScalar(pair.key)) return [];
  const name = String(pair.key.value);
  const member = memberOf(schema, name);
  if (member !== undefined) return faultsOf(pair.value as Node | null, member, say);
  if (schema.properties === undefined) return [];
  return [{ ...rangeOf(pair.key), message: say.unknown(name) }];
}

function rangeOf({ range }: Node): { from: number; to: number } {
  const [from = 0, to = 0] = range ?? [];
  return { from, to: Math.max(from + 1, to) };
}
