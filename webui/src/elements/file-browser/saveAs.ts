// SPDX-License-Identifier: Apache-2.0

/** Has the browser store what is at that address where the person wants it. */
export function saveAs(address: string, name: string): void {
  const link = document.createElement('a');
  link.href = address;
  link.download = name;
  link.click();
}
