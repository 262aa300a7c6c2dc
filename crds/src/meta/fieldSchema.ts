// SPDX-License-Identifier: Apache-2.0

/** A field of a kind as people write it in YAML: what an editor has to know to help with it. */
export interface FieldSchema {
  /** Absent = anything. */
  readonly type?: 'object' | 'array' | 'string' | 'integer' | 'number' | 'boolean' | 'quantity';
  readonly description?: string;
  readonly enum?: readonly string[];
  /** Of an object with names of its own; without it and without `values` anything may be in it. */
  readonly properties?: Readonly<Record<string, FieldSchema>>;
  /** Of an object whose names are free. */
  readonly values?: FieldSchema;
  /** Of a list. */
  readonly items?: FieldSchema;
}

/** The steps to a field; `[]` is an item of a list. */
export type FieldSteps = readonly string[];

export const ITEM = '[]';

/** The field that the steps lead to; undefined where there is none. */
export function fieldAt(schema: FieldSchema, steps: FieldSteps): FieldSchema | undefined {
  let field: FieldSchema | undefined = schema;
  for (const step of steps) {
    if (field === undefined) return undefined;
    field = step === ITEM ? field.items : memberOf(field, step);
  }
  return field;
}

/** A member of an object, by its name. */
export function memberOf({ properties, values }: FieldSchema, name: string): FieldSchema | undefined {
  return properties && Object.hasOwn(properties, name) ? properties[name] : values;
}
