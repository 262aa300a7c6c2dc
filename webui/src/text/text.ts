// SPDX-License-Identifier: Apache-2.0
import { en } from './en.ts';

/** Every sentence that elements show, by key. Another language is a map with the same keys; missing ones stay English. */
export type TextKey = keyof typeof en;
export type TextMap = Readonly<Partial<Record<TextKey, string>>>;

const maps = new Map<string, TextMap>([['en', en]]);

/** Makes a language known; `lang` is a BCP 47 tag such as `de` or `pt-BR`. */
export function registerText(lang: string, map: TextMap): void {
  maps.set(lang.toLowerCase(), map);
}

/** The sentence for a key, with `{name}` replaced by the parameter of that name. */
export function textOf(
  lang: string,
  key: TextKey,
  params: Readonly<Record<string, string | number>> = {},
): string {
  const tag = lang.toLowerCase();
  const text = maps.get(tag)?.[key] ?? maps.get(tag.split('-')[0] ?? '')?.[key] ?? en[key];
  return text.replaceAll(/\{(\w+)\}/g, (whole, name: string) => String(params[name] ?? whole));
}
