// SPDX-License-Identifier: Apache-2.0
import type { TextEditor, TextMerge, Theirs } from './editor.ts';
import type { Language } from './languages.ts';
import type { SpecKind } from './schemas.ts';
import type { TextProblem } from '../../controllers/yamlText.ts';

export interface Shown {
  readonly text: string;
  readonly label: string;
  readonly language: Language;
  /** Of whose spec it is; absent = nothing is known about what can be in it. */
  readonly kind?: SpecKind | undefined;
  readonly readonly: boolean;
  readonly onChange: () => void;
  /** Shown beside it, to take over from; absent = there is one text only. */
  readonly theirs?: Theirs;
}

/** A place on a page with a text in it, or with two that differ. */
export class TextPane {
  readonly #place: () => HTMLElement;
  #editor: TextEditor | undefined;
  #merge: TextMerge | undefined;
  #turn = 0;

  constructor(place: () => HTMLElement) {
    this.#place = place;
  }

  /** The text as it is now; undefined = none is shown yet. */
  get text(): string | undefined {
    return this.#merge?.text ?? this.#editor?.text;
  }

  /** What has come of one's own text beside another; undefined = there is no other. */
  get merged(): string | undefined {
    return this.#merge?.text;
  }

  /** The editor comes when the first text is shown: most people never open one. */
  async show({ text, theirs, language, kind, label, readonly, onChange }: Shown): Promise<void> {
    const turn = ++this.#turn;
    const { lookOf, TextEditor, TextMerge } = await import('./editor.ts');
    const look = await lookOf(language, text, kind);
    // Something else has been shown, or the element is gone.
    if (turn !== this.#turn) return;
    this.#destroy();
    const parent = this.#place();
    if (theirs === undefined)
      this.#editor = new TextEditor(text, { parent, label, look, readonly, onChange });
    else this.#merge = new TextMerge(parent, theirs, { text, label, look, onChange });
  }

  /** Puts another text into an editor that is there. */
  replace(text: string): void {
    if (this.#editor) this.#editor.text = text;
  }

  mark(problems: readonly TextProblem[]): void {
    this.#editor?.mark(problems);
    this.#merge?.mark(problems);
  }

  clear(): void {
    this.#turn++;
    this.#destroy();
  }

  #destroy(): void {
    this.#editor?.destroy();
    this.#merge?.destroy();
    this.#editor = undefined;
    this.#merge = undefined;
  }
}
