// SPDX-License-Identifier: Apache-2.0

/** Seconds with one decimal, or minutes and seconds. */
export function formatElapsed(ms: number): string {
  const seconds = ms / 1000;
  if (seconds < 60) return `${seconds.toFixed(1)}s`;
  return `${Math.floor(seconds / 60)}m${String(Math.floor(seconds % 60)).padStart(2, '0')}s`;
}

/** One line of the report: when it was printed, how it went, what, how long it took. */
export function formatStep(at: number, mark: string, title: string, note: string): string {
  return `[${formatElapsed(at).padStart(6)}] ${mark} ${title}${note === '' ? '' : `  ${note}`}`;
}

/** Said now and then by a step that takes long. */
export type Say = (note: string) => void;

/** Prints a line when a step ends, and one every few seconds while it lasts, so that nobody wonders whether it hangs. */
export class Progress {
  readonly #write: (line: string) => void;
  readonly #now: () => number;
  readonly #started: number;

  constructor(
    write: (line: string) => void = (line) => process.stdout.write(`${line}\n`),
    now: () => number = Date.now,
  ) {
    this.#write = write;
    this.#now = now;
    this.#started = now();
  }

  /** Milliseconds since the first step. */
  elapsed(): number {
    return this.#now() - this.#started;
  }

  note(text: string): void {
    this.#write(formatStep(this.elapsed(), '·', text, ''));
  }

  /** Runs one step; its result's text, if it is one, is added to the line. */
  async step<T>(title: string, work: (say: Say) => Promise<T>): Promise<T> {
    const began = this.#now();
    let latest = '';
    const ticking = setInterval(() => {
      this.#write(
        formatStep(this.elapsed(), '…', title, `${formatElapsed(this.#now() - began)} ${latest}`.trim()),
      );
    }, 10_000);
    try {
      const result = await work((note) => {
        latest = note.slice(0, 100);
      });
      const note = typeof result === 'string' ? result : '';
      this.#write(
        formatStep(this.elapsed(), '✓', title, `${formatElapsed(this.#now() - began)} ${note}`.trim()),
      );
      return result;
    } catch (error) {
      this.#write(formatStep(this.elapsed(), '✗', title, formatElapsed(this.#now() - began)));
      throw error;
    } finally {
      clearInterval(ticking);
    }
  }
}
