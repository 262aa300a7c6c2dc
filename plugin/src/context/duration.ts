// SPDX-License-Identifier: Apache-2.0
import { parseDuration } from '@agenttier/crds/meta/duration';
import { CommandError } from './failure.ts';

/** Milliseconds of a flag such as `180s` or `2m`; a bare number means seconds. Throws CommandError naming the flag. */
export function parseTimeout(flag: string, text: string): number {
  const ms = /^\d+$/.test(text) ? Number(text) * 1000 : parseDuration(text);
  if (ms === undefined || ms <= 0) {
    throw new CommandError(
      `${flag}: ${JSON.stringify(text)} is not a duration above zero: write for instance 90s, 5m or 1h30m`,
    );
  }
  return ms;
}
