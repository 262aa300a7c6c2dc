// SPDX-License-Identifier: Apache-2.0
import { randomBytes } from 'node:crypto';
import { currentTrace, newTrace, withTrace } from './tracing.ts';
import type { Trace } from './tracing.ts';

/** Values of attributes; undefined ones are left out. */
export type Attributes = Readonly<Record<string, string | number | boolean | undefined>>;
export type SpanKind = 'internal' | 'server' | 'client';

/** A span that has ended. Times are milliseconds since the epoch, with fractions. */
export interface FinishedSpan {
  readonly name: string;
  readonly kind: SpanKind;
  readonly trace: Trace;
  /** 16 hex digits; absent for the first span of a trace. */
  readonly parentSpanId?: string | undefined;
  readonly startedAt: number;
  readonly endedAt: number;
  readonly attributes: Attributes;
  /** What went wrong, if anything did. */
  readonly error?: string | undefined;
}

/** Where ended spans go; must not throw and must not wait. */
export interface SpanSink {
  add(span: FinishedSpan): void;
  /** Resolves when everything so far is sent or given up. */
  flush(): Promise<void>;
}

export interface SpanOptions {
  /** Where it belongs; default the running request's span, else a trace begins. */
  readonly parent?: Trace | undefined;
  readonly kind?: SpanKind | undefined;
  readonly attributes?: Attributes | undefined;
}

export interface OpenSpan {
  readonly trace: Trace;
  set(attributes: Attributes): void;
  fail(error: unknown): void;
  /** Once; later calls do nothing. */
  end(): void;
}

export interface Tracer {
  /** Whether spans go anywhere. */
  readonly enabled: boolean;
  begin(name: string, options?: SpanOptions): OpenSpan;
  /** Runs `work` within a span; what it logs carries the span's ids. */
  span<T>(name: string, options: SpanOptions, work: (span: OpenSpan) => Promise<T>): Promise<T>;
  /** A span of the past, whose times are known. Returns its place, for spans below it. */
  record(span: Omit<FinishedSpan, 'trace' | 'parentSpanId' | 'kind'>, parent: Trace): Trace;
  flush(): Promise<void>;
}

export interface TracerOptions {
  readonly sink?: SpanSink | undefined;
  /** Share of traces that begin here and are kept, from 0 to 1; default 1. A trace that goes on keeps its caller's decision. */
  readonly ratio?: number | undefined;
}

/** Without a sink spans cost a few random bytes and go nowhere; ids still reach the log lines. */
export function createTracer(options: TracerOptions = {}): Tracer {
  return new SinkTracer(options);
}

class SinkTracer implements Tracer {
  readonly #sink: SpanSink | undefined;
  readonly #ratio: number;

  constructor({ sink, ratio = 1 }: TracerOptions) {
    this.#sink = sink;
    this.#ratio = ratio;
  }

  get enabled(): boolean {
    return this.#sink !== undefined;
  }

  begin(name: string, options: SpanOptions = {}): OpenSpan {
    const parent = options.parent ?? currentTrace();
    const trace = parent === undefined ? this.#root() : childOf(parent);
    const { kind = 'internal' } = options;
    const startedAt = preciseNow();
    const state: { attributes: Attributes; error?: string; ended?: boolean } = {
      attributes: options.attributes ?? {},
    };
    return {
      trace,
      set(attributes) {
        state.attributes = { ...state.attributes, ...attributes };
      },
      fail(error) {
        state.error = error instanceof Error ? error.message : String(error);
      },
      end: () => {
        if (state.ended) return;
        state.ended = true;
        const { attributes, error } = state;
        const times = { startedAt, endedAt: preciseNow() };
        this.#add({ name, kind, trace, parentSpanId: parent?.spanId, ...times, attributes, error });
      },
    };
  }

  async span<T>(name: string, options: SpanOptions, work: (span: OpenSpan) => Promise<T>): Promise<T> {
    const span = this.begin(name, options);
    try {
      return await withTrace(span.trace, () => work(span));
    } catch (error) {
      span.fail(error);
      throw error;
    } finally {
      span.end();
    }
  }

  record(span: Omit<FinishedSpan, 'trace' | 'parentSpanId' | 'kind'>, parent: Trace): Trace {
    const trace = childOf(parent);
    this.#add({ ...span, kind: 'internal', trace, parentSpanId: parent.spanId });
    return trace;
  }

  async flush(): Promise<void> {
    await this.#sink?.flush();
  }

  #add(span: FinishedSpan): void {
    if (span.trace.sampled) this.#sink?.add(span);
  }

  #root(): Trace {
    const trace = newTrace();
    return { ...trace, sampled: isKept(trace.traceId, this.#ratio) };
  }
}

const childOf = (parent: Trace): Trace => ({ ...parent, spanId: randomBytes(8).toString('hex') });

/** By the id, so that every process that asks about one trace decides alike. */
const isKept = (traceId: string, ratio: number): boolean =>
  Number.parseInt(traceId.slice(16, 28), 16) / 2 ** 48 < ratio;

/** Wall time with fractions of a millisecond. */
const preciseNow = (): number => performance.timeOrigin + performance.now();
