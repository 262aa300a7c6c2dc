// SPDX-License-Identifier: Apache-2.0
import type { ReactiveController, ReactiveControllerHost } from 'lit';
import { problemOf } from '../data/problem.ts';
import type { Problem } from '../data/problem.ts';
import type { Saved, Spec } from '../data/saved.ts';
import type { Server } from '../data/server.ts';
import { parseObject, placeOf } from './yamlText.ts';
import type { Parsed, TextProblem } from './yamlText.ts';

/** Typing pauses before admission is asked. */
const JUDGE_AFTER_MS = 400;

export interface EditingOptions<T> {
  readonly textOf: (value: T) => string;
  /** Admission's remarks, with nothing stored; rejects with its objections. Undefined = there is nothing to ask yet. */
  readonly judge: (
    base: T | undefined,
    spec: Spec,
    signal: AbortSignal,
  ) => Promise<readonly string[]> | undefined;
  /** Stores it, unless `base` is no longer what is stored; without a base it is new. */
  readonly store: (server: Server, base: T | undefined, spec: Spec) => Promise<Saved<T>>;
  readonly attempt: (action: (server: Server) => Promise<void>) => Promise<Problem | undefined>;
  readonly onSaved: (value: T) => void;
}

/**
 * A text of YAML that is edited: admission is asked while one types, and what somebody else has stored meanwhile is put
 * beside it: nothing is overwritten unseen.
 */
export class EditingController<T> implements ReactiveController {
  open = false;
  /** What the text was made from; undefined = it is new. */
  base: T | undefined;
  text = '';
  /** What somebody else has stored since `base` was read. */
  current: T | undefined;
  marks: readonly TextProblem[] = [];
  problem: Problem | undefined;
  /** What admission remarks on and lets through. */
  warnings: readonly string[] = [];
  saved = false;
  /** What is stored is shown beside one's own text. */
  comparing = false;
  readonly #host: ReactiveControllerHost;
  readonly #options: EditingOptions<T>;
  #judging: AbortController | undefined;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #begun = '';

  constructor(host: ReactiveControllerHost, options: EditingOptions<T>) {
    this.#host = host;
    this.#options = options;
    host.addController(this);
  }

  hostDisconnected(): void {
    this.#forget();
  }

  /** The text to show beside one's own: what somebody else has stored meanwhile, or what one has changed. */
  get theirs(): string | undefined {
    if (this.current !== undefined) return this.#options.textOf(this.current);
    return this.comparing && this.base !== undefined ? this.#options.textOf(this.base) : undefined;
  }

  /** Something would be lost if it were left now. */
  get changed(): boolean {
    return this.open && this.text !== this.#begun;
  }

  compare(on: boolean): void {
    this.comparing = on;
    this.#host.requestUpdate();
  }

  /** Begins with what is stored, or with the text of something new. */
  begin(base: T | undefined, text = base === undefined ? '' : this.#options.textOf(base)): void {
    this.#forget();
    Object.assign(this, { open: true, base, text, current: undefined, marks: [] });
    Object.assign(this, { problem: undefined, warnings: [], saved: false, comparing: false });
    this.#begun = text;
    this.#host.requestUpdate();
  }

  end(): void {
    this.#forget();
    this.open = false;
    this.#host.requestUpdate();
  }

  type(text: string): void {
    // An editor tells of every change, of that too which it was given.
    if (text === this.text) return;
    this.text = text;
    this.saved = false;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => void this.#judge(text), JUDGE_AFTER_MS);
    this.#host.requestUpdate();
  }

  async save(text: string): Promise<void> {
    const { textOf, store, attempt, onSaved } = this.#options;
    this.#forget();
    const parsed = this.#parse(text);
    if (!parsed.ok) return;
    this.problem = await attempt(async (server) => {
      const result = await store(server, this.current ?? this.base, parsed.value);
      if (result.outcome === 'changed') {
        Object.assign(this, { text, current: result.current });
        return;
      }
      this.begin(result.value, textOf(result.value));
      Object.assign(this, { saved: true, warnings: result.warnings ?? [] });
      onSaved(result.value);
    });
    this.#host.requestUpdate();
  }

  async #judge(text: string): Promise<void> {
    const parsed = this.#parse(text);
    if (!parsed.ok) return;
    const { signal } = (this.#judging = new AbortController());
    const asked = this.#options.judge(this.base, parsed.value, signal);
    if (asked === undefined) return;
    const verdict = await asked.then(
      (warnings) => ({ warnings, problem: undefined }),
      (error: unknown) => ({ warnings: [], problem: problemOf(error) }),
    );
    // A newer text is asked about by now.
    if (signal.aborted) return;
    const { violations = [] } = verdict.problem ?? {};
    this.marks = violations.map(({ field, message }) => ({ ...placeOf(parsed.document, field), message }));
    this.warnings = verdict.warnings;
    this.problem = violations.length > 0 ? undefined : verdict.problem;
    this.#host.requestUpdate();
  }

  #parse(text: string): Parsed {
    const parsed = parseObject(text);
    if (!parsed.ok) this.marks = parsed.problems;
    this.#judging?.abort();
    this.#host.requestUpdate();
    return parsed;
  }

  #forget(): void {
    clearTimeout(this.#timer);
    this.#judging?.abort();
  }
}
