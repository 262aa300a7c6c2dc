// SPDX-License-Identifier: Apache-2.0

const UNITS = ['kilobyte', 'megabyte', 'gigabyte', 'terabyte'] as const;

/** A number of bytes in the language's own words, by thousands as file managers count: "1.5 MB". */
export function sizeText(bytes: number, lang: string): string {
  const step = Math.min(UNITS.length, Math.floor(Math.log10(Math.max(bytes, 1)) / 3));
  const unit = step === 0 ? 'byte' : (UNITS[step - 1] ?? 'byte');
  const format = new Intl.NumberFormat(lang || 'en', {
    style: 'unit',
    unit,
    unitDisplay: step === 0 ? 'long' : 'short',
    maximumFractionDigits: step === 0 ? 0 : 1,
  });
  return format.format(bytes / 1000 ** step);
}
