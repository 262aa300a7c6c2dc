// SPDX-License-Identifier: Apache-2.0

const WHOLE = /^(0|([0-9]+(\.[0-9]+)?(ns|us|µs|ms|s|m|h))+)$/;
const PART = /([0-9]+(?:\.[0-9]+)?)(ns|us|µs|ms|s|m|h)/g;

const MILLISECONDS: Readonly<Record<string, number>> = {
  ns: 1e-6,
  us: 1e-3,
  µs: 1e-3,
  ms: 1,
  s: 1000,
  m: 60_000,
  h: 3_600_000,
};

/** A duration as Go writes it (`1h30m`, `500ms`, `0`) in milliseconds; undefined when it is none. Days do not exist. */
export function parseDuration(text: string): number | undefined {
  if (!WHOLE.test(text)) return undefined;
  let total = 0;
  for (const [, amount = '0', unit = ''] of text.matchAll(PART))
    total += Number(amount) * (MILLISECONDS[unit] ?? 0);
  return total;
}

/** Milliseconds as Go writes a duration, without empty parts: 5400000 -> `1h30m`, 0 -> `0`. */
export function formatDuration(milliseconds: number): string {
  if (milliseconds <= 0) return '0';
  const hours = Math.floor(milliseconds / 3_600_000);
  const minutes = Math.floor((milliseconds % 3_600_000) / 60_000);
  const rest = milliseconds % 60_000;
  const seconds = Math.floor(rest / 1000);
  const fraction = Math.round((rest % 1000) * 1000) / 1000;
  const parts = [part(hours, 'h'), part(minutes, 'm'), part(seconds, 's'), part(fraction, 'ms')];
  return parts.join('') || '0';
}

function part(amount: number, unit: string): string {
  return amount > 0 ? `${amount}${unit}` : '';
}
