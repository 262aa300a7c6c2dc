// SPDX-License-Identifier: Apache-2.0

export const THEMES = ['auto', 'light', 'dark'] as const;
export type Theme = (typeof THEMES)[number];

const KEY = 'agenttier-theme';

/** What the person has chosen in this browser. */
export const rememberedTheme = (): Theme => {
  const stored = localStorage.getItem(KEY);
  return THEMES.find((theme) => theme === stored) ?? 'auto';
};

export const rememberTheme = (theme: Theme): void => localStorage.setItem(KEY, theme);

/** What is around the elements, and what the browser draws itself: bars, and the page before it is there. */
export function paintPage(theme: Theme): void {
  document.documentElement.style.colorScheme = theme === 'auto' ? '' : theme;
}
