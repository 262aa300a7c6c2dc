// SPDX-License-Identifier: Apache-2.0

/** Where the router is: the server of these pages writes it into them. */
export const apiBase = document.documentElement.dataset['apiBase'] ?? '';

/** A token of whoever has signed in to these pages: their server has it. */
export async function getToken(): Promise<string> {
  const response = await fetch('/token');
  return response.text();
}
