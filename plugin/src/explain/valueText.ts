// SPDX-License-Identifier: Apache-2.0

/** A value on one line: text as it is, a variable by its value, everything else as JSON. */
export function valueText(value: unknown): string {
  if (typeof value === 'string') return value;
  const variable = value as { readonly name?: unknown; readonly value?: unknown } | null | undefined;
  if (typeof variable?.value === 'string' && typeof variable.name === 'string') return variable.value;
  return JSON.stringify(value) ?? '';
}
