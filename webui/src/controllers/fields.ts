// SPDX-License-Identifier: Apache-2.0

/** Reads the fields of a form by name, as they were typed but for blanks around them. */
export function fieldsOf(form: HTMLFormElement): (name: string) => string {
  const data = new FormData(form);
  return (name) => {
    const value = data.get(name);
    return typeof value === 'string' ? value.trim() : '';
  };
}
