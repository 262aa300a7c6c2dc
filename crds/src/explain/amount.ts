// SPDX-License-Identifier: Apache-2.0
import { formatDuration, parseDuration } from '../meta/duration.ts';
import { parseQuantity } from '../meta/quantity.ts';

type Amount = string | number;

const BINARY = ['Ei', 'Pi', 'Ti', 'Gi', 'Mi', 'Ki'] as const;
const MILLI = 1000n;

/**
 * Thousandths of a unit as a quantity: in the largest binary unit that fits without a rest when `like` is written in
 * one, else as a plain number, with `m` where it is no whole one.
 */
export function quantityText(thousandths: bigint, like: Amount): string {
  if (thousandths < 0n) return `-${quantityText(-thousandths, like)}`;
  if (thousandths % MILLI !== 0n) return `${thousandths}m`;
  const units = thousandths / MILLI;
  if (units === 0n || !/[KMGTPE]i$/.test(String(like))) return String(units);
  for (const [index, suffix] of BINARY.entries()) {
    const size = 1024n ** BigInt(BINARY.length - index);
    if (units % size === 0n) return `${units / size}${suffix}`;
  }
  return String(units);
}

/** What is left of a limit, negative when it is exceeded; undefined when one of the two is no quantity. */
export function quantityLeft(limit: Amount, used: bigint | Amount): string | undefined {
  const most = parseQuantity(limit);
  const taken = typeof used === 'bigint' ? used : parseQuantity(used);
  return most === undefined || taken === undefined ? undefined : quantityText(most - taken, limit);
}

/** What is left of a limit in time; undefined when the value is no time, or none at all, which has no end. */
export function durationLeft(limit: string, value: unknown): string | undefined {
  const most = parseDuration(limit);
  const asked = typeof value === 'string' ? parseDuration(value) : undefined;
  if (most === undefined || asked === undefined || asked === 0) return undefined;
  return asked > most ? `-${formatDuration(asked - most)}` : formatDuration(most - asked);
}
