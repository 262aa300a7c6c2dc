// SPDX-License-Identifier: Apache-2.0
import { CommandError } from '../context/failure.ts';

/** `demo` from `demo`, `sandbox/demo` or `sandbox.agenttier.io/demo`; `kinds` are the words accepted before the slash. */
export function bareName(text: string, kinds: readonly string[]): string {
  const slash = text.indexOf('/');
  const name = slash < 0 ? text : text.slice(slash + 1);
  const kind =
    slash < 0
      ? undefined
      : text
          .slice(0, slash)
          .toLowerCase()
          .replace(/(\.v1alpha1)?\.agenttier\.io$/, '');
  if (kind !== undefined && !kinds.includes(kind)) {
    throw new CommandError(`${JSON.stringify(text)} is not a ${kinds[0]}: expected NAME or ${kinds[0]}/NAME`);
  }
  if (name === '') throw new CommandError(`${JSON.stringify(text)} holds no name`);
  return name;
}
