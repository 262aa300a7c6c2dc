// SPDX-License-Identifier: Apache-2.0

/** Hands an answer to the browser as a file. It was fetched, since a link could not say who asks. */
export async function saveFile(answer: Response, name: string): Promise<void> {
  const url = URL.createObjectURL(await answer.blob());
  const link = document.createElement('a');
  link.href = url;
  link.download = name;
  link.click();
  // The browser has begun to read when the click has been handled; after that the address is not needed.
  setTimeout(() => URL.revokeObjectURL(url), 0);
}
