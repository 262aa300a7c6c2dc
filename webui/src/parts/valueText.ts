// SPDX-License-Identifier: Apache-2.0

/** A value of a spec as people write it: lists by commas, the rest of what is no text as JSON. */
export const valueText = (value: unknown): string =>
  Array.isArray(value) ? value.map(itemText).join(', ') : itemText(value);

const itemText = (value: unknown): string =>
  typeof value === 'string' ? value : (JSON.stringify(value) ?? '');
