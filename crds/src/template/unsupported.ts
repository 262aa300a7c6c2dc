// SPDX-License-Identifier: Apache-2.0
import type { Violation } from '../meta/violation.ts';
import { FIELD_SUPPORT, type SpecKind, type UnsupportedField } from './support.ts';

/** A violation for every field of the spec that nothing acts on yet; fields that say nothing (`[]`, `{}`) pass. */
export function unsupportedFields(kind: SpecKind, spec: object | undefined): Violation[] {
  return FIELD_SUPPORT[kind].unsupported.flatMap((entry) =>
    occurrences(spec ?? {}, entry.path.split('.'), 'spec')
      .filter(({ value }) => !isHarmless(entry, value))
      .map(({ field }) => violation(entry, field)),
  );
}

interface Occurrence {
  readonly field: string;
  readonly value: unknown;
}

/** Values at a path; `[]` behind a step means each item of the list. */
function occurrences(node: unknown, steps: readonly string[], field: string): Occurrence[] {
  const [step, ...rest] = steps;
  if (step === undefined || step === '') return [{ field, value: node }];
  if (typeof node !== 'object' || node === null) return [];
  const key = step.replace(/\[\]$/, '');
  const value = (node as Readonly<Record<string, unknown>>)[key];
  if (value === undefined || value === null) return [];
  const below = `${field}.${key}`;
  if (!step.endsWith('[]')) return occurrences(value, rest, below);
  return Array.isArray(value) ? value.flatMap((item, i) => occurrences(item, rest, `${below}[${i}]`)) : [];
}

/** Empty lists and objects say nothing; an object says nothing when its members do not. */
function isHarmless(entry: UnsupportedField, value: unknown): boolean {
  if (entry.path === '') return false;
  if (Array.isArray(value)) return value.length === 0;
  if (typeof value === 'object' && value !== null) {
    return Object.values(value).every((member) => isHarmless(entry, member));
  }
  return value === '' || entry.harmless?.includes(value) === true;
}

function violation({ needs }: UnsupportedField, field: string): Violation {
  const message = `${field} is not acted on yet: ${needs}. Leave it out`;
  return { code: 'field_not_supported', field, message };
}
