// SPDX-License-Identifier: Apache-2.0
import type { EffectiveSpec } from '../generated/types.ts';
import { byteLength } from '../meta/byteLength.ts';
import { parseDuration } from '../meta/duration.ts';
import { parseQuantity } from '../meta/quantity.ts';
import type { Violation } from '../meta/violation.ts';

/** Linux takes no argument of more than 128 KiB, and a shell gets its text as one. */
const MAX_SHELL_TEXT = 100 * 1024;

const SHORTEST_MS = 1_000;
/** In thousandths of a byte. Less, and shells could not even keep their history. */
const SMALLEST_FILE = 64n * 1024n * 1000n;
/** A controlling client may be half of it behind, and a read of the terminal must fit beside that. */
const SMALLEST_SCROLLBACK = 256n * 1024n * 1000n;
/** It is the runtime's memory, in the sandbox, for each of its terminals. */
const LARGEST_SCROLLBACK = 64n * 1024n * 1024n * 1000n;

/** What is wrong with the harness beyond what the schema, which counts characters, can say. */
export function harnessViolations({ harness = {} }: EffectiveSpec): Violation[] {
  const hooks = Object.entries(harness.hooks ?? {}).flatMap(([name, text]) =>
    shellTextViolations(`spec.harness.hooks.${name}`, text),
  );
  const tools = (harness.tools ?? []).flatMap(({ installCommand, verifyCommand }, i) => [
    ...shellTextViolations(`spec.harness.tools[${i}].installCommand`, installCommand),
    ...shellTextViolations(`spec.harness.tools[${i}].verifyCommand`, verifyCommand),
  ]);
  return [
    ...hooks,
    ...tools,
    ...constraintViolations(harness.constraints),
    ...terminalViolations(harness.terminal),
  ];
}

type Constraints = NonNullable<NonNullable<EffectiveSpec['harness']>['constraints']>;

function constraintViolations({ maxCommandTimeout, maxFileSize }: Constraints = {}): Violation[] {
  const out: Violation[] = [];
  if (maxCommandTimeout && !((parseDuration(maxCommandTimeout) ?? 0) >= SHORTEST_MS)) {
    const field = 'spec.harness.constraints.maxCommandTimeout';
    const message = `${field} must be a duration of at least 1s, such as 5m`;
    out.push({ code: 'invalid_value', field, message, actual: maxCommandTimeout });
  }
  if (maxFileSize !== undefined && (parseQuantity(maxFileSize) ?? 0n) < SMALLEST_FILE) {
    const field = 'spec.harness.constraints.maxFileSize';
    const message = `${field} must be a size of at least 64Ki, such as 100Mi`;
    out.push({ code: 'invalid_value', field, message, actual: String(maxFileSize) });
  }
  return out;
}

type TerminalSpec = NonNullable<NonNullable<EffectiveSpec['harness']>['terminal']>;

function terminalViolations({ scrollbackBytes = '2Mi', detachedTTL = '0' }: TerminalSpec = {}): Violation[] {
  const out: Violation[] = [];
  const size = parseQuantity(scrollbackBytes) ?? 0n;
  if (size < SMALLEST_SCROLLBACK || size > LARGEST_SCROLLBACK) {
    const field = 'spec.harness.terminal.scrollbackBytes';
    const message = `${field} must be a size from 256Ki to 64Mi, such as 4Mi`;
    out.push({ code: 'invalid_value', field, message, actual: String(scrollbackBytes) });
  }
  const ttl = parseDuration(detachedTTL) ?? -1;
  if (ttl !== 0 && ttl < SHORTEST_MS) {
    const field = 'spec.harness.terminal.detachedTTL';
    const message = `${field} must be a duration of at least 1s, such as 8h, or 0 for ever`;
    out.push({ code: 'invalid_value', field, message, actual: detachedTTL });
  }
  return out;
}

function shellTextViolations(field: string, text: string | undefined): Violation[] {
  const size = byteLength(text ?? '');
  if (size <= MAX_SHELL_TEXT) return [];
  const message = `${field} has ${size} bytes, more than the ${MAX_SHELL_TEXT} that a shell can be given: put it into a file`;
  return [{ code: 'invalid_value', field, message, limit: String(MAX_SHELL_TEXT), actual: String(size) }];
}
