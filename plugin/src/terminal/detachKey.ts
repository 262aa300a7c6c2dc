// SPDX-License-Identifier: Apache-2.0
import { CommandError } from '../context/failure.ts';

/** Ctrl-] as in telnet: rarely typed, and not a key that shells or editors need to be left alone. */
export const DEFAULT_DETACH_KEY = 'ctrl-]';

/** The byte of `ctrl-]`, `ctrl-a` and the like; undefined for `none`. Throws CommandError for anything else. */
export function parseDetachKey(text: string): number | undefined {
  const name = text.toLowerCase();
  if (name === 'none') return undefined;
  const key = /^(?:ctrl-|\^)([a-z@[\\\]^_])$/.exec(name)?.[1];
  if (key === undefined)
    throw new CommandError(
      `--detach-key: ${JSON.stringify(text)} is not a key: use ctrl-] or ctrl-a to ctrl-z, or none`,
    );
  return key.toUpperCase().charCodeAt(0) & 0x1f;
}

/** Cuts typed bytes at the detach key: what stands before it is still sent. */
export function splitAtDetach(
  data: Uint8Array,
  key: number | undefined,
): { readonly before: Uint8Array; readonly detach: boolean } {
  const at = key === undefined ? -1 : data.indexOf(key);
  return at < 0 ? { before: data, detach: false } : { before: data.subarray(0, at), detach: true };
}
