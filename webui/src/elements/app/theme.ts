// SPDX-License-Identifier: Apache-2.0
import type { Preferences } from '../../data/preferences.ts';

export const THEMES = ['auto', 'light', 'dark'] as const;
export type Theme = (typeof THEMES)[number];

const KEY = 'agenttier-theme';

const asTheme = (value: unknown): Theme | undefined => THEMES.find((theme) => theme === value);

/** What was chosen last in this browser: a page has it before anybody has signed in. */
export const rememberedTheme = (): Theme => asTheme(localStorage.getItem(KEY)) ?? 'auto';

/** What the person has chosen, in whichever browser. */
export const themeIn = ({ theme }: Preferences): Theme | undefined => asTheme(theme);

export const rememberTheme = (theme: Theme): void => localStorage.setItem(KEY, theme);

/** What is around the elements, and what the browser draws itself: bars, and the page before it is there. */
export function paintPage(theme: Theme): void {
  document.documentElement.style.colorScheme = theme === 'auto' ? '' : theme;
}
