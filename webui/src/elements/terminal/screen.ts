// SPDX-License-Identifier: Apache-2.0
import type { FitAddon } from '@xterm/addon-fit';
import type { SearchAddon } from '@xterm/addon-search';
import type { Terminal } from '@xterm/xterm';

export interface ScreenOptions {
  readonly fontSize: number;
  readonly scrollback: number;
  readonly onInput: (bytes: Uint8Array) => void;
  readonly onResize: (cols: number, rows: number) => void;
  readonly onTitle: (title: string) => void;
  /** Something is selected, or nothing any more. */
  readonly onSelection: (some: boolean) => void;
  /** Keys that are the page's and not the program's; true = it was one. */
  readonly onKey: (event: KeyboardEvent) => boolean;
}

/** Sheets by text: one per document would do, but elements may move between documents. */
async function styleSheet(): Promise<CSSStyleSheet> {
  const { default: text } = await import('@xterm/xterm/css/xterm.css?inline');
  const sheet = new CSSStyleSheet();
  await sheet.replace(text);
  return sheet;
}

/** Who asks for less motion has a cursor that stands still. */
export const blinks = (): boolean => !matchMedia('(prefers-reduced-motion: reduce)').matches;

/** The emulator and its parts, loaded when the first terminal is shown: nobody else has to wait for them. */
export class Screen {
  readonly terminal: Terminal;
  readonly #fit: FitAddon;
  readonly #search: SearchAddon;
  readonly #watch: ResizeObserver;
  #fitting = 0;
  #followed: { readonly cols: number; readonly rows: number } | undefined;

  private constructor(terminal: Terminal, fit: FitAddon, search: SearchAddon, place: HTMLElement) {
    this.terminal = terminal;
    this.#fit = fit;
    this.#search = search;
    // In the next frame: a page that gives the terminal no height would be told of a loop of observations, as an error.
    this.#watch = new ResizeObserver(() => {
      cancelAnimationFrame(this.#fitting);
      this.#fitting = requestAnimationFrame(() => this.fit());
    });
    this.#watch.observe(place);
  }

  static async open(place: HTMLElement, options: ScreenOptions): Promise<Screen> {
    const [{ Terminal }, { FitAddon }, { SearchAddon }, { WebLinksAddon }, sheet] = await Promise.all([
      import('@xterm/xterm'),
      import('@xterm/addon-fit'),
      import('@xterm/addon-search'),
      import('@xterm/addon-web-links'),
      styleSheet(),
    ]);
    const root = place.getRootNode();
    if (root instanceof ShadowRoot || root instanceof Document)
      root.adoptedStyleSheets = [...root.adoptedStyleSheets, sheet];
    const terminal = new Terminal({
      fontSize: options.fontSize,
      scrollback: options.scrollback,
      fontFamily: "ui-monospace, 'SF Mono', Menlo, Consolas, 'DejaVu Sans Mono', monospace",
      cursorBlink: blinks(),
      // Programs choose colours for grounds that they do not know (WCAG 2.2, 1.4.3).
      minimumContrastRatio: 4.5,
      // A click in a running editor selects text with the key held, like in other terminals.
      macOptionClickForcesSelection: true,
      theme: {
        background: '#15161a',
        foreground: '#e7e9ee',
        cursor: '#a995ff',
        selectionBackground: '#4a3f7d',
      },
    });
    const [fit, search] = [new FitAddon(), new SearchAddon()];
    terminal.loadAddon(fit);
    terminal.loadAddon(search);
    terminal.loadAddon(new WebLinksAddon());
    terminal.open(place);
    await accelerate(terminal);
    const screen = new Screen(terminal, fit, search, place);
    listen(terminal, options);
    screen.fit();
    return screen;
  }

  /** Takes the size of somebody else's terminal: who looks on has no say in it. Undefined = one's own again. */
  follow(size: { readonly cols: number; readonly rows: number } | undefined): void {
    this.#followed = size;
    if (size) this.terminal.resize(size.cols, size.rows);
    else this.fit();
  }

  /** As many columns and rows as there is room for; nothing while the element is not shown. */
  fit(): void {
    if (this.#followed) return;
    if (this.#fit.proposeDimensions() !== undefined) this.#fit.fit();
  }

  /** All lines that are kept, as they would be copied. */
  get text(): string {
    const { active } = this.terminal.buffer;
    const lines = Array.from(
      { length: active.length },
      (_, at) => active.getLine(at)?.translateToString(true) ?? '',
    );
    return lines.join('\n').trimEnd();
  }

  find(text: string, backwards = false): boolean {
    return backwards ? this.#search.findPrevious(text) : this.#search.findNext(text);
  }

  dispose(): void {
    this.#watch.disconnect();
    cancelAnimationFrame(this.#fitting);
    this.terminal.dispose();
  }
}

/**
 * The graphics card where there is one; when it takes its context away, the DOM is drawn instead. A WebGL that is computed
 * without a card takes hundreds of milliseconds for a key, so it is none.
 */
async function accelerate(terminal: Terminal): Promise<void> {
  if (!hasGraphicsCard()) return;
  const { WebglAddon } = await import('@xterm/addon-webgl');
  try {
    const addon = new WebglAddon();
    addon.onContextLoss(() => addon.dispose());
    terminal.loadAddon(addon);
  } catch {
    // No WebGL here after all: the emulator draws into the DOM by itself.
  }
}

function hasGraphicsCard(): boolean {
  const canvas = document.createElement('canvas');
  const context = canvas.getContext('webgl2', { failIfMajorPerformanceCaveat: true });
  context?.getExtension('WEBGL_lose_context')?.loseContext();
  return context !== null;
}

function listen(terminal: Terminal, options: ScreenOptions): void {
  const encoder = new TextEncoder();
  terminal.onData((text) => options.onInput(encoder.encode(text)));
  // Mouse reports may hold bytes that are no UTF-8.
  terminal.onBinary((text) => options.onInput(Uint8Array.from(text, (char) => char.charCodeAt(0))));
  terminal.onResize(({ cols, rows }) => options.onResize(cols, rows));
  terminal.onTitleChange(options.onTitle);
  terminal.onSelectionChange(() => options.onSelection(terminal.hasSelection()));
  terminal.attachCustomKeyEventHandler((event) => {
    const ours = event.type === 'keydown' && options.onKey(event);
    if (ours) event.preventDefault();
    return !ours;
  });
}
