// SPDX-License-Identifier: Apache-2.0
import { yaml } from '@codemirror/lang-yaml';
import { StreamLanguage } from '@codemirror/language';
import type { StreamParser } from '@codemirror/language';
import type { Extension } from '@codemirror/state';

/** What a text is coloured and indented by. */
export type Language = keyof typeof LANGUAGES;

/** Each comes when the first text of it is opened. */
const LANGUAGES = {
  text: () => Promise.resolve<Extension>([]),
  yaml: () => Promise.resolve<Extension>(yaml()),
  javascript: async () => stream((await import('@codemirror/legacy-modes/mode/javascript')).javascript),
  typescript: async () => stream((await import('@codemirror/legacy-modes/mode/javascript')).typescript),
  json: async () => stream((await import('@codemirror/legacy-modes/mode/javascript')).json),
  python: async () => stream((await import('@codemirror/legacy-modes/mode/python')).python),
  shell: async () => stream((await import('@codemirror/legacy-modes/mode/shell')).shell),
  go: async () => stream((await import('@codemirror/legacy-modes/mode/go')).go),
  rust: async () => stream((await import('@codemirror/legacy-modes/mode/rust')).rust),
  toml: async () => stream((await import('@codemirror/legacy-modes/mode/toml')).toml),
  ini: async () => stream((await import('@codemirror/legacy-modes/mode/properties')).properties),
  css: async () => stream((await import('@codemirror/legacy-modes/mode/css')).css),
  html: async () => stream((await import('@codemirror/legacy-modes/mode/xml')).html),
  xml: async () => stream((await import('@codemirror/legacy-modes/mode/xml')).xml),
  sql: async () => stream((await import('@codemirror/legacy-modes/mode/sql')).standardSQL),
  dockerfile: async () => stream((await import('@codemirror/legacy-modes/mode/dockerfile')).dockerFile),
} satisfies Record<string, () => Promise<Extension>>;

const stream = (parser: StreamParser<unknown>): Extension => StreamLanguage.define(parser);

export const loadLanguage = (language: Language): Promise<Extension> => LANGUAGES[language]();
