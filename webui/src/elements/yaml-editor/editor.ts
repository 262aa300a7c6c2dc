// SPDX-License-Identifier: Apache-2.0
import { defaultKeymap, history, historyKeymap, indentWithTab } from '@codemirror/commands';
import { bracketMatching, HighlightStyle, indentOnInput, syntaxHighlighting } from '@codemirror/language';
import { lintGutter, setDiagnostics } from '@codemirror/lint';
import { MergeView } from '@codemirror/merge';
import { EditorState } from '@codemirror/state';
import type { Extension } from '@codemirror/state';
import { drawSelection, EditorView, highlightActiveLine, keymap, lineNumbers } from '@codemirror/view';
import { tags } from '@lezer/highlight';
import { assistance } from './assist.ts';
import { loadLanguage } from './languages.ts';
import type { Language } from './languages.ts';
import { loadSchema } from './schemas.ts';
import type { SpecKind } from './schemas.ts';
import type { TextProblem } from '../../controllers/yamlText.ts';

/** Colours are those of the page's tokens, so that both themes have them. */
const colours = HighlightStyle.define([
  {
    tag: [tags.propertyName, tags.definition(tags.propertyName), tags.keyword, tags.tagName],
    color: 'var(--accent)',
  },
  { tag: [tags.function(tags.variableName), tags.typeName, tags.attributeName], color: 'var(--busy)' },
  { tag: tags.content, color: 'var(--text)' },
  { tag: tags.string, color: 'var(--good)' },
  { tag: [tags.number, tags.bool, tags.null, tags.atom], color: 'var(--busy)' },
  { tag: tags.comment, color: 'var(--muted)', fontStyle: 'italic' },
]);

const looks = EditorView.theme({
  '&': { height: '100%', backgroundColor: 'var(--surface)', color: 'var(--text)', fontSize: '0.8125rem' },
  '.cm-content': { fontFamily: 'var(--mono)', caretColor: 'var(--accent)' },
  '.cm-gutters': { backgroundColor: 'var(--bg)', color: 'var(--muted)', border: 'none' },
  '.cm-activeLine, .cm-activeLineGutter': {
    backgroundColor: 'color-mix(in srgb, var(--accent) 8%, transparent)',
  },
  '&.cm-focused .cm-selectionBackground, .cm-selectionBackground': {
    backgroundColor: 'color-mix(in srgb, var(--accent) 28%, transparent)',
  },
  '.cm-tooltip': {
    backgroundColor: 'var(--raised)',
    color: 'var(--text)',
    border: '1px solid var(--line)',
    borderRadius: '6px',
    boxShadow: '0 6px 24px rgb(0 0 0 / 0.16)',
  },
  '.cm-tooltip.cm-tooltip-autocomplete > ul': { fontFamily: 'var(--mono)', maxHeight: '14rem' },
  '.cm-tooltip.cm-tooltip-autocomplete > ul > li': { padding: '0.1875rem 0.625rem' },
  '.cm-tooltip-autocomplete > ul > li[aria-selected]': {
    backgroundColor: 'color-mix(in srgb, var(--accent) 18%, var(--raised))',
    color: 'var(--text)',
  },
  '.cm-completionMatchedText': { textDecoration: 'none', color: 'var(--accent)', fontWeight: '600' },
  '.cm-completionDetail': { color: 'var(--muted)', fontStyle: 'normal', marginInlineStart: '1rem' },
  '.cm-tooltip.cm-completionInfo': { maxWidth: '22rem', padding: '0.5rem 0.75rem', whiteSpace: 'normal' },
  '.cm-about': { maxWidth: '28rem', padding: '0.5rem 0.75rem' },
  '.cm-about b': { fontFamily: 'var(--mono)' },
  '.cm-about span': { color: 'var(--muted)' },
  '.cm-about p': { margin: '0.25rem 0 0' },
});

/** How a text is shown, whatever it says. */
export interface TextLook {
  readonly language: Extension;
  /** Between lines. A text with others in it, too, has `\n`: then those are kept as characters. */
  readonly lineBreak: '\n' | '\r\n';
  /** Helps with what can be written. */
  readonly assist: Extension;
}

/** With a kind, the text is of its spec: names, values and what they are for are offered. */
export const lookOf = async (language: Language, text: string, kind?: SpecKind): Promise<TextLook> => ({
  language: await loadLanguage(language),
  lineBreak: lineBreakOf(text),
  assist: kind === undefined ? [] : assistance(await loadSchema(kind)),
});

/** The editor would make every kind of line break one and the same, and so change lines that nobody has touched. */
export const lineBreakOf = (text: string): TextLook['lineBreak'] =>
  text.includes('\r\n') && !/(^|[^\r])\n|\r(?!\n)/.test(text) ? '\r\n' : '\n';

const common = (label: string, { language, lineBreak, assist }: TextLook): Extension[] => [
  EditorState.lineSeparator.of(lineBreak),
  lineNumbers(),
  history(),
  drawSelection(),
  indentOnInput(),
  bracketMatching(),
  highlightActiveLine(),
  language,
  syntaxHighlighting(colours),
  looks,
  EditorView.lineWrapping,
  EditorView.contentAttributes.of({ 'aria-label': label }),
  // Before the other keys: while there is a choice, Enter and the arrows are about it.
  assist,
  // Escape, then Tab, leaves the editor by keyboard (CodeMirror's documented way).
  keymap.of([...defaultKeymap, ...historyKeymap, indentWithTab]),
];

export interface EditorOptions {
  readonly parent: HTMLElement;
  readonly label: string;
  readonly look: TextLook;
  readonly readonly: boolean;
  readonly onChange: () => void;
}

const noticing = (onChange: () => void): Extension =>
  EditorView.updateListener.of((update) => {
    if (update.docChanged) onChange();
  });

function mark(view: EditorView, problems: readonly TextProblem[]): void {
  const { length } = view.state.doc;
  const diagnostics = problems.map(({ from, to, message }) => ({
    from: Math.min(from, length),
    to: Math.min(to, length),
    severity: 'error' as const,
    message,
  }));
  view.dispatch(setDiagnostics(view.state, diagnostics));
}

/** One text that is edited, and where it is wrong. */
export class TextEditor {
  readonly #view: EditorView;

  constructor(text: string, { parent, label, look, readonly, onChange }: EditorOptions) {
    const extensions = [
      ...common(label, look),
      lintGutter(),
      noticing(onChange),
      EditorState.readOnly.of(readonly),
    ];
    this.#view = new EditorView({
      state: EditorState.create({ doc: text, extensions }),
      parent,
      root: parent.getRootNode() as ShadowRoot,
    });
  }

  get text(): string {
    return this.#view.state.sliceDoc();
  }

  /** Replaces all of it, in one step that can be undone. */
  set text(text: string) {
    if (text !== this.text)
      this.#view.dispatch({ changes: { from: 0, to: this.#view.state.doc.length, insert: text } });
  }

  mark(problems: readonly TextProblem[]): void {
    mark(this.#view, problems);
  }

  destroy(): void {
    this.#view.destroy();
  }
}

export interface Theirs {
  readonly text: string;
  readonly label: string;
  /** What the buttons are called that take one difference over. */
  readonly take: string;
}

/** What somebody else has stored beside one's own text, which can be edited until it is right. */
export class TextMerge {
  readonly #view: MergeView;

  constructor(
    parent: HTMLElement,
    theirs: Theirs,
    mine: { text: string; label: string; look: TextLook; onChange: () => void },
  ) {
    this.#view = new MergeView({
      a: {
        doc: theirs.text,
        extensions: [...common(theirs.label, mine.look), EditorState.readOnly.of(true)],
      },
      b: {
        doc: mine.text,
        extensions: [...common(mine.label, mine.look), lintGutter(), noticing(mine.onChange)],
      },
      parent,
      root: parent.getRootNode() as ShadowRoot,
      revertControls: 'a-to-b',
      renderRevertControl: () => takeButton(theirs.take),
      gutter: true,
    });
  }

  get text(): string {
    return this.#view.b.state.sliceDoc();
  }

  mark(problems: readonly TextProblem[]): void {
    mark(this.#view.b, problems);
  }

  destroy(): void {
    this.#view.destroy();
  }
}

function takeButton(label: string): HTMLElement {
  const button = document.createElement('button');
  button.textContent = '→';
  button.ariaLabel = label;
  button.title = label;
  return button;
}
