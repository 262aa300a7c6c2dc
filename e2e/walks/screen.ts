// SPDX-License-Identifier: Apache-2.0
import xterm from '@xterm/headless';
import type { IBufferCell, Terminal } from '@xterm/headless';

/** What a person sees of a terminal's output: cells with their attributes, the cursor, the modes. */
export class Screen {
  readonly #terminal: Terminal;
  #pending = Promise.resolve();

  /** `answer` takes what the terminal says by itself when a program asks it something. */
  constructor(cols: number, rows: number, answer: (text: string) => void) {
    this.#terminal = new xterm.Terminal({ cols, rows, allowProposedApi: true, scrollback: 5000 });
    this.#terminal.onData(answer);
  }

  feed(data: Uint8Array | string): void {
    this.#pending = new Promise((resolve) => this.#terminal.write(data, resolve));
  }

  async settled(): Promise<void> {
    await this.#pending;
  }

  /** Is there nothing but a prompt, in a shell that reads? */
  isAtPrompt(prompt: string): boolean {
    const { active } = this.#terminal.buffer;
    const [first = '', ...others] = this.rows();
    const empty = first.trimEnd() === prompt.trimEnd() && others.every((row) => row === '');
    return empty && active.cursorX === prompt.length && this.#terminal.modes.bracketedPasteMode;
  }

  /** The visible rows as text. */
  rows(): string[] {
    const { active } = this.#terminal.buffer;
    return Array.from(
      { length: this.#terminal.rows },
      (_, y) => active.getLine(active.baseY + y)?.translateToString(true) ?? '',
    );
  }

  /** Everything that can be seen, for comparison. */
  picture(): object {
    const { active } = this.#terminal.buffer;
    const { applicationCursorKeysMode, bracketedPasteMode, mouseTrackingMode } = this.#terminal.modes;
    return {
      rows: this.rows(),
      looks: Array.from({ length: this.#terminal.rows }, (_, y) => this.#looks(active.baseY + y)),
      cursor: [active.cursorX, active.cursorY],
      buffer: active.type,
      modes: { applicationCursorKeysMode, bracketedPasteMode, mouseTrackingMode },
    };
  }

  /** Runs of equal attributes in a row, as `column:attributes`. */
  #looks(y: number): string {
    const line = this.#terminal.buffer.active.getLine(y);
    const runs: string[] = [];
    let last = '';
    for (let x = 0; x < this.#terminal.cols; x++) {
      const cell = line?.getCell(x);
      const look = cell ? lookOf(cell) : '';
      if (look !== last) runs.push(`${x}:${look}`);
      last = look;
    }
    return runs.join(' ');
  }
}

const lookOf = (cell: IBufferCell): string =>
  [
    cell.getFgColorMode(),
    cell.getFgColor(),
    cell.getBgColorMode(),
    cell.getBgColor(),
    cell.isBold(),
    cell.isDim(),
    cell.isItalic(),
    cell.isUnderline(),
    cell.isInverse(),
    cell.isStrikethrough(),
    cell.getWidth(),
  ].join(',');
