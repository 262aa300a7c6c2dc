// SPDX-License-Identifier: Apache-2.0

const STEPS: readonly (readonly [unit: Intl.RelativeTimeFormatUnit, seconds: number])[] = [
  ['year', 31_536_000],
  ['month', 2_592_000],
  ['day', 86_400],
  ['hour', 3_600],
  ['minute', 60],
];

/** How long ago a moment was, in the language's own words: "5 minutes ago". */
export function sinceText(timestamp: string, lang: string, now = Date.now()): string {
  const seconds = Math.round((Date.parse(timestamp) - now) / 1000);
  if (Number.isNaN(seconds)) return timestamp;
  const format = new Intl.RelativeTimeFormat(lang || 'en', { numeric: 'auto' });
  const step = STEPS.find(([, size]) => Math.abs(seconds) >= size);
  return step === undefined
    ? format.format(Math.min(0, seconds), 'second')
    : format.format(Math.round(seconds / step[1]), step[0]);
}

const two = (value: number): string => String(value).padStart(2, '0');

/** A span of time as m:ss or h:mm:ss. */
export function clockText(ms: number): string {
  const seconds = Math.max(0, Math.ceil(ms / 1000));
  const [hours, minutes] = [Math.floor(seconds / 3600), Math.floor((seconds % 3600) / 60)];

  return hours > 0 ? `${hours}:${two(minutes)}:${two(seconds % 60)}` : `${minutes}:${two(seconds % 60)}`;
}
