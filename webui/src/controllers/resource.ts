// SPDX-License-Identifier: Apache-2.0
import type { ReactiveController, ReactiveControllerHost } from 'lit';
import type { ChangeKind } from '../data/changes.ts';
import { problemOf } from '../data/problem.ts';
import type { Problem } from '../data/problem.ts';
import type { Server } from '../data/server.ts';

/** While the stream of changes does not stand, the server is asked by the clock. */
const POLL_MS = 10_000;
/** Changes come in bursts; one answer shows them all. */
const GATHER_MS = 100;
/** When they never end, the page loads for a quarter of the time and has the rest for the person. */
const REST = 3;
const LONGEST_REST_MS = 2_000;
/** What could not be had for no fault of the person's is asked for again. */
const RETRY_MS = 3_000;

export interface ResourceOptions<T> {
  readonly server: () => Server | undefined;
  readonly load: (server: Server, signal: AbortSignal) => Promise<T>;
  /** Changes after which it is loaded again; none = only when asked. */
  readonly follows: readonly ChangeKind[];
  readonly onError?: (error: Problem) => void;
}

/**
 * Something of the server that an element shows, kept current while the element is on the page. What was shown last
 * stays when the server is away: `value` and `error` can both be there.
 */
export class ResourceController<T> implements ReactiveController {
  value: T | undefined;
  error: Problem | undefined;
  readonly #host: ReactiveControllerHost;
  readonly #options: ResourceOptions<T>;
  #loading: AbortController | undefined;
  #ends: (() => void)[] = [];
  #followed: Server | undefined;
  #gathering: ReturnType<typeof setTimeout> | undefined;
  #retrying: ReturnType<typeof setTimeout> | undefined;
  /** How long the last answer took. */
  #took = 0;
  /** Something has changed since the request that is under way began. */
  #due = false;

  constructor(host: ReactiveControllerHost, options: ResourceOptions<T>) {
    this.#host = host;
    this.#options = options;
    host.addController(this);
  }

  /** Neither a value nor an error has come yet. */
  get waiting(): boolean {
    return this.value === undefined && this.error === undefined;
  }

  hostUpdate(): void {
    const server = this.#options.server();
    if (server !== this.#followed) this.#follow(server);
  }

  hostDisconnected(): void {
    this.#follow(undefined);
  }

  /** Asks the server now. Never rejects: what goes wrong is in `error`. */
  async reload(): Promise<void> {
    const server = this.#options.server();
    if (server === undefined) return;
    this.#stopLoading();
    const { signal } = (this.#loading = new AbortController());
    const started = performance.now();
    try {
      const value = await this.#options.load(server, signal);
      if (signal.aborted) return;
      this.value = value;
      this.error = undefined;
    } catch (error) {
      if (signal.aborted) return;
      this.error = problemOf(error);
      this.#options.onError?.(this.error);
      if (isPassing(this.error)) this.#retrying = setTimeout(() => void this.reload(), RETRY_MS);
    }
    this.#took = performance.now() - started;
    this.#loading = undefined;
    if (this.#due) this.#soon();
    this.#host.requestUpdate();
  }

  #stopLoading(): void {
    this.#loading?.abort();
    this.#loading = undefined;
    this.#due = false;
    clearTimeout(this.#retrying);
  }

  #follow(server: Server | undefined): void {
    for (const end of this.#ends) end();
    this.#ends = [];
    this.#stopLoading();
    clearTimeout(this.#gathering);
    this.#gathering = undefined;
    this.#followed = server;
    if (server === undefined) return;
    this.#ends.push(server.changes.onState((live) => void (live && this.error && this.#soon())));
    const { follows } = this.#options;
    if (follows.length > 0) {
      const wanted = new Set<ChangeKind>([...follows, 'reset']);
      const poll = setInterval(() => void (server.changes.live ? undefined : this.reload()), POLL_MS);
      this.#ends.push(
        server.changes.listen((kind) => void (wanted.has(kind) && this.#soon())),
        () => clearInterval(poll),
      );
    }
    void this.reload();
  }

  /** One request at a time: one that is under way is never given up for a change, or a stream of them would show nothing. */
  #soon(): void {
    if (this.#loading !== undefined) return void (this.#due = true);
    const rest = Math.min(LONGEST_REST_MS, Math.max(GATHER_MS, this.#took * REST));
    this.#gathering ??= setTimeout(() => {
      this.#gathering = undefined;
      if (this.#loading === undefined) void this.reload();
      else this.#due = true;
    }, rest);
  }
}

/** Nobody answered, or somebody who cannot at the moment. */
const isPassing = ({ status }: Problem): boolean => status === 0 || status >= 502;
