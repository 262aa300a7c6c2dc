// SPDX-License-Identifier: Apache-2.0
import { nameOfRef } from './document.ts';
import type { Schema } from './document.ts';

const PLAIN: Readonly<Record<string, string>> = {
  string: 'string',
  integer: 'number',
  number: 'number',
  boolean: 'boolean',
  null: 'null',
};

/** A JSON Schema as a TypeScript type. */
export function typeText(schema: Schema, indent = ''): string {
  if (schema.$ref) return nameOfRef(schema.$ref);
  if (schema.const !== undefined) return literal(schema.const);
  if (schema.enum) return schema.enum.map(literal).join(' | ');
  if (schema.allOf) return schema.allOf.map((part) => typeText(part, indent)).join(' & ');
  const branches = branchesOf(schema);
  if (branches) return [...new Set(branches.map((branch) => typeText(branch, indent)))].join(' | ');
  if (schema.type === 'array') return arrayText(schema, indent);
  if (schema.type === 'object') return objectText(schema, indent);
  return PLAIN[String(schema.type)] ?? 'unknown';
}

function branchesOf(schema: Schema): readonly Schema[] | undefined {
  if (Array.isArray(schema.type)) return schema.type.map((type: string) => ({ ...schema, type }));
  return schema.anyOf ?? schema.oneOf;
}

/** As JSON, but in the quotes of the house. */
const literal = (value: unknown): string =>
  typeof value === 'string'
    ? `'${value.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`
    : JSON.stringify(value);

function arrayText({ items = {} }: Schema, indent: string): string {
  const item = typeText(items, indent);
  const isSum = items.allOf ?? branchesOf(items) ?? items.enum;
  return isSum === undefined ? `readonly ${item}[]` : `readonly (${item})[]`;
}

function objectText(schema: Schema, indent: string): string {
  const { properties = {}, required = [] } = schema;
  const names = Object.keys(properties);
  if (names.length === 0) return mapText(schema, indent);
  const deeper = `${indent}  `;
  const members = Object.entries(properties).map(([name, part]) => {
    const comment = part.description ? `${deeper}/** ${part.description} */\n` : '';
    const mark = required.includes(name) ? '' : '?';
    return `${comment}${deeper}readonly ${keyText(name)}${mark}: ${typeText(part, deeper)};\n`;
  });
  return `{\n${members.join('')}${indent}}`;
}

const keyText = (name: string): string => (/^[A-Za-z_$][\w$]*$/.test(name) ? name : literal(name));

function mapText({ patternProperties, additionalProperties }: Schema, indent: string): string {
  const [value] = Object.values(patternProperties ?? {});
  const other = typeof additionalProperties === 'object' ? additionalProperties : undefined;
  return `Readonly<Record<string, ${typeText(value ?? other ?? {}, indent)}>>`;
}
