// SPDX-License-Identifier: Apache-2.0

const REFUSED_BY_APPLY = /failed to create typed patch object .*: \.(\S+): field not declared in schema/s;

/**
 * The field that server-side apply says the schema does not know. Apply answers that with 500 and a sentence of its
 * merge library, not with 422 as a create does.
 */
export function unknownFieldIn(message: string): string | undefined {
  return REFUSED_BY_APPLY.exec(message)?.[1];
}
