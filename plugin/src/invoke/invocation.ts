// SPDX-License-Identifier: Apache-2.0
import { setTimeout as pause } from 'node:timers/promises';
import { type InvokeEvent, type InvokeExit, parseInvokeEvent } from '@agenttier/crds/wire/agent';
import { EVENT_STREAM, serverEvents } from '../client/agentEvents.ts';
import { openRouter, type RouterAccess, routerUrl } from '../client/router.ts';
import { CommandError, RouterError } from '../context/failure.ts';
import type { Host } from '../context/host.ts';

export interface InvocationOptions {
  readonly host: Host;
  readonly router: RouterAccess;
  readonly path: string;
  /** Name of the invocation, made up by us: it can be cancelled before it tells that it has begun. */
  readonly id: string;
  readonly query: Readonly<Record<'namespace' | 'prompt' | 'timeout', string | undefined>>;
  readonly print: (event: InvokeEvent) => Promise<void>;
}

/** For how long it goes on unread; a connection that broke is taken up again within this time. */
const RESUME_MS = 30_000;
const FIRST_PAUSE_MS = 100;
const MAX_PAUSE_MS = 2_000;

/** One invocation, read to its end over as many connections as that takes. */
export class Invocation {
  readonly #options: InvocationOptions;
  #id: string;
  #begun = false;
  #last = '';

  constructor(options: InvocationOptions) {
    this.#options = options;
    this.#id = options.id;
  }

  /** Ours; the router's, should it be too old to take ours. */
  get id(): string {
    return this.#id;
  }

  async run(content: RequestInit['body']): Promise<InvokeExit> {
    const { host, router, path, query } = this.#options;
    const url = routerUrl(router, path, { ...query, id: this.#id, resume: `${RESUME_MS / 1000}s` });
    const call = { content: content ?? '', accept: EVENT_STREAM, signal: host.signal };
    let exit = await this.#read(await openRouter(router, url, call));
    while (exit === undefined) exit = await this.#read(await this.#resume());
    return exit;
  }

  /** Undefined when the connection ended before the invocation. */
  async #read(answer: Response): Promise<InvokeExit | undefined> {
    try {
      for await (const event of serverEvents(answer)) {
        const known = parseInvokeEvent(event);
        const exit = known && (await this.#show(known));
        this.#last = event.id ?? this.#last;
        if (exit) return exit;
      }
    } catch (error) {
      if (this.#options.host.signal.aborted) throw error;
    }
    return undefined;
  }

  async #show(known: InvokeEvent): Promise<InvokeExit | undefined> {
    if (known.event === 'start') {
      this.#id = known.data.invokeId;
      this.#begun = true;
    }
    await this.#options.print(known);
    return known.event === 'exit' ? known.data : undefined;
  }

  /** The rest of it, from whichever replica answers. */
  async #resume(): Promise<Response> {
    const { host, router, path, query } = this.#options;
    if (!this.#begun) throw new CommandError('the connection broke before the invocation began');
    const url = routerUrl(router, `${path}/${encodeURIComponent(this.#id)}`, {
      namespace: query.namespace,
      after: this.#last,
    });
    const deadline = performance.now() + RESUME_MS;
    for (let ms = FIRST_PAUSE_MS; ; ms = Math.min(MAX_PAUSE_MS, ms * 2)) {
      try {
        return await openRouter(router, url, { accept: EVENT_STREAM, signal: host.signal });
      } catch (error) {
        const isPassing = error instanceof RouterError && (error.status === 0 || error.status >= 500);
        if (!isPassing || performance.now() > deadline) throw error;
      }
      await pause(ms, undefined, { signal: host.signal });
    }
  }
}
