// SPDX-License-Identifier: Apache-2.0

/** `spec` + `env` -> `spec.env`; a number or a quoted key goes into brackets, as the API server writes paths. */
export function fieldPath(...parts: readonly (string | number)[]): string {
  let path = '';
  for (const part of parts) {
    if (typeof part === 'number') path += `[${part}]`;
    else path += path === '' ? part : `.${part}`;
  }
  return path;
}

/** JSON pointer (RFC 6901) of ajv -> field path: `/spec/env/0/name` -> `spec.env[0].name`. */
export function fieldPathOfPointer(pointer: string): string {
  const parts = pointer.split('/').slice(1);
  return fieldPath(
    ...parts.map((raw) => {
      const part = raw.replaceAll('~1', '/').replaceAll('~0', '~');
      return /^[0-9]+$/.test(part) ? Number(part) : part;
    }),
  );
}
