// SPDX-License-Identifier: Apache-2.0

export type View = 'grid' | 'table';

const KEY = 'agenttier-list-view';

/** How the list was looked at last in this tab. */
export function rememberedView(): View {
  try {
    return sessionStorage.getItem(KEY) === 'table' ? 'table' : 'grid';
  } catch {
    // A page in a frame without storage of its own: nothing is remembered there.
    return 'grid';
  }
}

export function rememberView(view: View): void {
  try {
    sessionStorage.setItem(KEY, view);
  } catch {
    // As above.
  }
}
