// SPDX-License-Identifier: Apache-2.0

/** Modes a program switches on and a person would be left with, if the connection ended under it, and how to undo each. */
const UNDO: Readonly<Record<string, string>> = {
  1: '\u001b[?1l', // application cursor keys
  9: '\u001b[?9l', // X10 mouse
  47: '\u001b[?47l', // alternate screen, the old way
  1000: '\u001b[?1000l', // mouse clicks
  1002: '\u001b[?1002l', // mouse drags
  1003: '\u001b[?1003l', // mouse moves
  1004: '\u001b[?1004l', // focus reports
  1005: '\u001b[?1005l', // mouse coordinates, UTF-8
  1006: '\u001b[?1006l', // mouse coordinates, SGR
  1047: '\u001b[?1047l', // alternate screen
  1049: '\u001b[?1049l', // alternate screen with cursor
  2004: '\u001b[?2004l', // bracketed paste
};
const ALTERNATE: readonly string[] = ['47', '1047', '1049'];
const CURSOR = '25';
const SHOW_CURSOR = '\u001b[?25h';
const PRIVATE_MODE = /\u001b\[\?([\d;]*)([hl])/g; // oxlint-disable-line no-control-regex -- DECSET and DECRST begin with ESC
/** Longest tail that may be the beginning of a mode sequence. */
const TAIL = 32;

/**
 * Follows the DECSET/DECRST sequences in a terminal's output, so that leaving in the middle of an editor gives the
 * person back a normal screen, without touching a screen that is normal already.
 */
export class ScreenModes {
  readonly #on = new Set<string>();
  #cursorHidden = false;
  #tail = '';

  observe(data: Uint8Array): void {
    // Latin-1 keeps one character per byte; mode sequences are ASCII, so UTF-8 text around them does no harm.
    const text = this.#tail + Buffer.from(data.buffer, data.byteOffset, data.byteLength).toString('latin1');
    for (const [, modes = '', action] of text.matchAll(PRIVATE_MODE)) {
      for (const mode of modes.split(';')) this.#set(mode, action === 'h');
    }
    const escape = text.lastIndexOf('\u001b');
    const open = escape >= 0 && text.length - escape <= TAIL && !/[hl]/.test(text.slice(escape));
    this.#tail = open ? text.slice(escape) : '';
  }

  /** What to print to leave every mode that is on; empty when there is none. */
  undo(): string {
    const off = [...this.#on].map((mode) => UNDO[mode] ?? '').join('');
    return off + (this.#cursorHidden ? SHOW_CURSOR : '') + (off === '' ? '' : '\u001b[0m');
  }

  /**
   * What to print to show a line that is not the program's. An editor that has the whole screen gets it on the last row,
   * which it paints over in time, with the cursor put back; a shell gets it as a line of its own.
   */
  banner(message: string): string {
    const text = `\u001b[7m agenttier: ${message} \u001b[0m`;
    const whole = ALTERNATE.some((mode) => this.#on.has(mode));
    return whole ? `\u0007\u001b7\u001b[999;1H${text}\u001b[K\u001b8` : `\r\n${text}\r\n`;
  }

  #set(mode: string, on: boolean): void {
    if (mode === CURSOR) this.#cursorHidden = !on;
    else if (mode in UNDO && on) this.#on.add(mode);
    else this.#on.delete(mode);
  }
}
