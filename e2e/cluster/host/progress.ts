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

/** What a step's result adds to its line: a text as it is, a list as its texts or the names in it. */
export function describeResult(result: unknown): string {
  if (typeof result === 'string') return result;
  if (!Array.isArray(result)) return '';
  const names = result.map((one: unknown) =>
    typeof one === 'object' && one !== null && 'name' in one ? one.name : one,
  );
  return names.filter((name) => typeof name === 'string').join(' ');
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

  /** Runs one step; its result, where it is a text or a list of texts, is added to the line. */
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
      const note = describeResult(result);
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
