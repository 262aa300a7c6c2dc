// SPDX-License-Identifier: Apache-2.0

/** A browser that has not taken it by then will not. */
const KEPT_MS = 60_000;

/** Lets the browser store it where the person wants it. */
export function saveAs(blob: Blob, name: string): void {
  const link = document.createElement('a');
  link.href = URL.createObjectURL(blob);
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), KEPT_MS);
}
