// SPDX-License-Identifier: Apache-2.0
import type { EffectiveSpec } from '../generated/types.ts';
import { byteLength } from '../meta/byteLength.ts';
import type { Violation } from '../meta/violation.ts';

/** Linux takes no argument of more than 128 KiB, and a shell gets its text as one. */
const MAX_SHELL_TEXT = 100 * 1024;

/** What is wrong with the harness beyond what the schema, which counts characters, can say. */
export function harnessViolations({ harness = {} }: EffectiveSpec): Violation[] {
  return Object.entries(harness.hooks ?? {}).flatMap(([name, text]) =>
    shellTextViolations(`spec.harness.hooks.${name}`, text),
  );
}

function shellTextViolations(field: string, text: string | undefined): Violation[] {
  const size = byteLength(text ?? '');
  if (size <= MAX_SHELL_TEXT) return [];
  const message = `${field} has ${size} bytes, more than the ${MAX_SHELL_TEXT} that a shell can be given: put it into a file`;
  return [{ code: 'invalid_value', field, message, limit: String(MAX_SHELL_TEXT), actual: String(size) }];
}
