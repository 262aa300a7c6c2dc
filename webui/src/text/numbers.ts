// SPDX-License-Identifier: Apache-2.0

const number = (lang: string, value: number, digits: number): string =>
  new Intl.NumberFormat(lang || 'en', { maximumFractionDigits: digits }).format(value);

const UNITS = ['B', 'KiB', 'MiB', 'GiB', 'TiB', 'PiB'] as const;

/**
 * An amount of memory, or of a volume, by 1024 as Kubernetes counts them (`1536Mi`), in the largest unit that leaves at
 * least one of it: "1.5 GiB".
 */
export function bytesText(bytes: number, lang: string): string {
  const step = bytes < 1 ? 0 : Math.min(UNITS.length - 1, Math.floor(Math.log2(bytes) / 10));
  return `${number(lang, bytes / 1024 ** step, 1)} ${UNITS[step] ?? ''}`;
}

/** Thousandths of a CPU as CPUs. */
export const coresText = (millis: number, lang: string): string => number(lang, millis / 1000, 2);

export const percentText = (share: number, lang: string): string => `${number(lang, share * 100, 0)} %`;

/** Money to the cent; what is less than one unit to a hundredth of it, since an hour of a small sandbox costs little. */
export function moneyText(value: number, currency: string, lang: string): string {
  const digits = value !== 0 && Math.abs(value) < 1 ? 4 : 2;
  const places = { minimumFractionDigits: 2, maximumFractionDigits: digits };
  // The chart takes any word for the currency; only codes of ISO 4217 have a sign.
  return /^[A-Z]{3}$/.test(currency)
    ? new Intl.NumberFormat(lang || 'en', { style: 'currency', currency, ...places }).format(value)
    : `${new Intl.NumberFormat(lang || 'en', places).format(value)} ${currency}`.trimEnd();
}

/** A time that something took: "340 ms", "1.2 s", "75 s". */
export function tookText(ms: number, lang: string): string {
  if (ms < 1000) return `${number(lang, ms, 0)} ms`;
  return `${number(lang, ms / 1000, ms < 10_000 ? 1 : 0)} s`;
}

/** The part that `value` is of `whole`, within 0 and 1. */
export const shareOf = (value: number, whole: number): number =>
  whole > 0 ? Math.min(1, Math.max(0, value / whole)) : 0;
const FILE_UNITS = ['kilobyte', 'megabyte', 'gigabyte', 'terabyte'] as const;

/**
 * The size of a file, by thousands: "1.5 MB". File managers and `ls --si` count so, and the unit says it; what quantities of
 * Kubernetes limit is written by `bytesText`.
 */
export function sizeText(bytes: number, lang: string): string {
  const step = Math.min(FILE_UNITS.length, Math.floor(Math.log10(Math.max(bytes, 1)) / 3));
  const unit = step === 0 ? 'byte' : (FILE_UNITS[step - 1] ?? 'byte');
  const format = new Intl.NumberFormat(lang || 'en', {
    style: 'unit',
    unit,
    unitDisplay: step === 0 ? 'long' : 'short',
    maximumFractionDigits: step === 0 ? 0 : 1,
  });
  return format.format(bytes / 1000 ** step);
}
