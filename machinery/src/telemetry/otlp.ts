// SPDX-License-Identifier: Apache-2.0
import type { Logger } from './log.ts';
import type { Attributes, FinishedSpan, SpanKind, SpanSink } from './spans.ts';

export interface OtlpOptions {
  /** Full URL that spans are posted to, with the path. */
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  /** Attributes of the process, `service.name` among them. */
  readonly resource: Readonly<Record<string, string>>;
  readonly log: Logger;
}

const BATCH = 512;
const MAX_WAITING = 4_096;
const PERIOD_MS = 1_000;
const TIMEOUT_MS = 10_000;
/** A collector that is away is mentioned this often. */
const COMPLAIN_MS = 60_000;

/**
 * Sends spans as OTLP/HTTP in JSON (OpenTelemetry Protocol 1.x), a second after the first of a batch. Spans are worth
 * less than the process: when the collector is away or slow they are dropped, never waited for.
 */
export class OtlpSink implements SpanSink {
  readonly #options: OtlpOptions;
  #waiting: FinishedSpan[] = [];
  #timer: NodeJS.Timeout | undefined;
  #sending: Promise<void> = Promise.resolve();
  #complainedAt = -COMPLAIN_MS;

  constructor(options: OtlpOptions) {
    this.#options = options;
  }

  add(span: FinishedSpan): void {
    if (this.#waiting.length >= MAX_WAITING) return;
    this.#waiting.push(span);
    this.#timer ??= setTimeout(() => void this.flush(), PERIOD_MS).unref();
  }

  flush(): Promise<void> {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#sending = this.#sending.then(() => this.#sendAll());
    return this.#sending;
  }

  async #sendAll(): Promise<void> {
    while (this.#waiting.length > 0) await this.#send(this.#waiting.splice(0, BATCH));
  }

  async #send(spans: readonly FinishedSpan[]): Promise<void> {
    const { url, headers, resource } = this.#options;
    try {
      const answer = await fetch(url, {
        method: 'POST',
        headers: { ...headers, 'Content-Type': 'application/json' },
        body: JSON.stringify(requestOf(spans, resource)),
        redirect: 'error',
        signal: AbortSignal.timeout(TIMEOUT_MS),
      });
      await answer.arrayBuffer();
      if (!answer.ok) this.#complain(spans.length, new Error(`the collector answered ${answer.status}`));
    } catch (error) {
      this.#complain(spans.length, error);
    }
  }

  #complain(dropped: number, err: unknown): void {
    const now = performance.now();
    if (now - this.#complainedAt < COMPLAIN_MS) return;
    this.#complainedAt = now;
    this.#options.log.warn({ err, dropped }, 'spans were not taken by the collector');
  }
}

/** Body of an ExportTraceServiceRequest; ids are hex in the JSON form. */
export function requestOf(
  spans: readonly FinishedSpan[],
  resource: Readonly<Record<string, string>>,
): object {
  return {
    resourceSpans: [
      {
        resource: { attributes: attributesOf(resource) },
        scopeSpans: [{ scope: { name: 'agenttier' }, spans: spans.map(spanOf) }],
      },
    ],
  };
}

/** Values of Span.SpanKind and Status.StatusCode. */
const KINDS: Readonly<Record<SpanKind, number>> = { internal: 1, server: 2, client: 3 };
const STATUS_ERROR = 2;

function spanOf(span: FinishedSpan): object {
  const { trace, parentSpanId, error } = span;
  return {
    traceId: trace.traceId,
    spanId: trace.spanId,
    ...(parentSpanId === undefined ? {} : { parentSpanId }),
    name: span.name,
    kind: KINDS[span.kind],
    startTimeUnixNano: nanos(span.startedAt),
    endTimeUnixNano: nanos(span.endedAt),
    attributes: attributesOf(span.attributes),
    ...(error === undefined ? {} : { status: { code: STATUS_ERROR, message: error } }),
  };
}

/** 64-bit numbers are texts in the JSON form of protocol buffers, and a double cannot hold this one. */
const nanos = (ms: number): string => String(BigInt(Math.round(ms * 1_000)) * 1_000n);

function attributesOf(attributes: Attributes): object[] {
  return Object.entries(attributes).flatMap(([key, value]) =>
    value === undefined ? [] : [{ key, value: valueOf(value) }],
  );
}

function valueOf(value: string | number | boolean): object {
  if (typeof value === 'string') return { stringValue: value };
  if (typeof value === 'boolean') return { boolValue: value };
  return Number.isInteger(value) ? { intValue: String(value) } : { doubleValue: value };
}
