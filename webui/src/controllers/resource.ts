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
    this.#loading?.abort();
    const { signal } = (this.#loading = new AbortController());
    try {
      const value = await this.#options.load(server, signal);
      if (signal.aborted) return;
      this.value = value;
      this.error = undefined;
    } catch (error) {
      if (signal.aborted) return;
      this.error = problemOf(error);
      this.#options.onError?.(this.error);
    }
    this.#host.requestUpdate();
  }

  #follow(server: Server | undefined): void {
    for (const end of this.#ends) end();
    this.#ends = [];
    this.#loading?.abort();
    clearTimeout(this.#gathering);
    this.#gathering = undefined;
    this.#followed = server;
    if (server === undefined) return;
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

  #soon(): void {
    this.#gathering ??= setTimeout(() => {
      this.#gathering = undefined;
      void this.reload();
    }, GATHER_MS);
  }
}
