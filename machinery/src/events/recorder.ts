// SPDX-License-Identifier: Apache-2.0
import { randomBytes } from 'node:crypto';
import type { KubeClient } from '../kube/client.ts';
import { isNotFound } from '../kube/errors.ts';
import { EVENTS } from '../kube/resource.ts';
import type { KubeObject } from '../kube/resource.ts';
import { microTime } from '../lease/candidate.ts';
import { systemClock } from '../runtime/clock.ts';
import type { Clock } from '../runtime/clock.ts';
import type { Logger } from '../telemetry/log.ts';
import { TokenBuckets } from './bucket.ts';

export interface EventRecorderOptions {
  readonly client: Pick<KubeClient, 'create' | 'patch'>;
  /** Becomes `reportingController`, for instance `agenttier.io/operator`. */
  readonly component: string;
  /** Becomes `reportingInstance`: the pod's name. */
  readonly instance: string;
  readonly log?: Logger | undefined;
  readonly clock?: Clock | undefined;
}

export interface Occurrence {
  /** The object it happened to, with apiVersion and kind. */
  readonly regarding: KubeObject;
  readonly type: 'Normal' | 'Warning';
  /** Machine-readable, CamelCase, at most 128 characters. */
  readonly reason: string;
  /** For people; cut at 1 024 bytes. */
  readonly note: string;
  /** What was being done; default the reason. */
  readonly action?: string | undefined;
  /** Go onto the Event itself. */
  readonly annotations?: Readonly<Record<string, string>> | undefined;
}

export interface EventRecorder {
  /** Records in the background. Never throws and never waits: an event must not fail what it tells about. */
  record(occurrence: Occurrence): void;
  /** Resolves when everything recorded so far is sent or given up. */
  flush(): Promise<void>;
  /** Occurrences not sent: over the limit, or refused by the API server. */
  readonly dropped: number;
}

/** Per object: a burst, then one in five minutes, so that a flapping object cannot fill etcd. */
const BURST = 25;
const PER_SECOND = 1 / 300;
/** The same occurrence within this time is counted on one Event object. */
const SERIES_MS = 6 * 60_000;
const MAX_SERIES = 4096;
const MAX_NOTE_BYTES = 1024;

interface Series {
  namespace: string;
  name: string;
  count: number;
  lastAt: number;
}

export function createEventRecorder(options: EventRecorderOptions): EventRecorder {
  return new Recorder(options);
}

class Recorder implements EventRecorder {
  readonly #options: EventRecorderOptions;
  readonly #clock: Clock;
  readonly #buckets = new TokenBuckets({ burst: BURST, perSecond: PER_SECOND });
  readonly #series = new Map<string, Series>();
  #queue: Promise<void> = Promise.resolve();
  #dropped = 0;

  constructor(options: EventRecorderOptions) {
    this.#options = options;
    this.#clock = options.clock ?? systemClock;
  }

  get dropped(): number {
    return this.#dropped;
  }

  record(occurrence: Occurrence): void {
    const { regarding } = occurrence;
    if (!this.#buckets.take(objectOf(regarding), this.#clock.monotonic())) {
      this.#dropped++;
      return;
    }
    const at = this.#clock.now();
    // One after the other: the second of a series must find the first one's name.
    this.#queue = this.#queue
      .then(() => this.#send(occurrence, at))
      .catch((error: unknown) => {
        this.#dropped++;
        this.#options.log?.warn({ err: error, reason: occurrence.reason }, 'event not recorded');
      });
  }

  async flush(): Promise<void> {
    await this.#queue;
  }

  async #send(occurrence: Occurrence, at: number): Promise<void> {
    const key = seriesKey(occurrence);
    const series = this.#series.get(key);
    if (series && at - series.lastAt < SERIES_MS && (await this.#extend(series, at))) return;
    this.#series.delete(key);
    this.#series.set(key, await this.#create(occurrence, at));
    if (this.#series.size > MAX_SERIES) {
      const [oldest] = this.#series.keys();
      if (oldest !== undefined) this.#series.delete(oldest);
    }
  }

  async #create(occurrence: Occurrence, at: number): Promise<Series> {
    const { regarding, type, reason, note, action = reason, annotations } = occurrence;
    // Events of cluster-scoped objects live in `default`, as those of Nodes do.
    const namespace = regarding.metadata.namespace ?? 'default';
    const name = `${(regarding.metadata.name ?? 'object').slice(0, 230)}.${randomBytes(8).toString('hex')}`;
    const event = {
      metadata: {
        namespace,
        name,
        ...(annotations === undefined ? {} : { annotations: { ...annotations } }),
      },
      eventTime: microTime(at),
      reportingController: this.#options.component,
      reportingInstance: this.#options.instance.slice(0, 128),
      action: action.slice(0, 128),
      reason: reason.slice(0, 128),
      regarding: referenceTo(regarding),
      note: cut(note),
      type,
    };
    await this.#options.client.create(EVENTS, namespace, event, { timeoutMs: 5000 });
    return { namespace, name, count: 1, lastAt: at };
  }

  /** Counts one more on the Event; false when it has expired (events live an hour). */
  async #extend(series: Series, at: number): Promise<boolean> {
    const body = { series: { count: series.count + 1, lastObservedTime: microTime(at) } };
    try {
      await this.#options.client.patch(EVENTS, series, { type: 'merge', body }, { timeoutMs: 5000 });
    } catch (error) {
      if (isNotFound(error)) return false;
      throw error;
    }
    series.count++;
    series.lastAt = at;
    return true;
  }
}

const objectOf = ({ kind = '', metadata }: KubeObject): string =>
  `${kind}/${metadata.namespace ?? ''}/${metadata.name ?? ''}/${metadata.uid ?? ''}`;

const seriesKey = ({ regarding, type, reason, note, action, annotations }: Occurrence): string =>
  JSON.stringify([objectOf(regarding), type, reason, action ?? reason, note, annotations]);

function referenceTo({ apiVersion, kind, metadata }: KubeObject): Record<string, string | undefined> {
  const { namespace, name, uid, resourceVersion } = metadata;
  return { apiVersion, kind, namespace, name, uid, resourceVersion };
}

/** The limit is in bytes; a cut through a character must not leave half of it. */
function cut(note: string): string {
  const bytes = Buffer.from(note);
  if (bytes.length <= MAX_NOTE_BYTES) return note;
  return `${bytes
    .subarray(0, MAX_NOTE_BYTES - 4)
    .toString('utf8')
    .replace(/\uFFFD+$/, '')}…`;
}
