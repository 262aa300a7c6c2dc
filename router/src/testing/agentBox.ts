// SPDX-License-Identifier: Apache-2.0
import type { EffectiveSpec, SandboxStatus } from '@agenttier/crds/generated/types';
import { parseInvokeEvent } from '@agenttier/crds/wire/agent';
import type { InvokeEvent } from '@agenttier/crds/wire/agent';
import { readEvents } from '../sse/readEvents.ts';
import { ANN_KEY } from './harness.ts';
import type { Harness } from './harness.ts';
import { REAL_UID } from './realRuntime.ts';
import { runtimeToken } from './tokens.ts';

type AgentStatus = NonNullable<SandboxStatus['agentConfigure']>;

/** An agent sandbox of Ann's whose pod runs the real runtime, shared with Bob. */
export async function addAgent(
  harness: Harness,
  status: AgentStatus = {},
  effective: EffectiveSpec = {},
): ReturnType<Harness['add']> {
  const sharing = { users: [{ identity: 'bob', level: 'collaborator' as const }] };
  const resolved = { hash: 'h', chain: [], spec: { mode: 'agent', ...effective } } as const;
  const box = await harness.add({
    name: 'box',
    uid: REAL_UID,
    spec: { createdBy: { sub: 'ann' }, sharing, resolved },
  });
  const agentConfigure = { state: 'Ready', podUid: `pod-of-${REAL_UID}`, ...status } as const;
  return harness.change(box, { status: { ...box.status, agentConfigure } });
}

/** What the operator does: tells the runtime how its agent is invoked. */
export async function tellRuntime(port: number, script: string, limits: object = {}): Promise<void> {
  const settings = { hash: 'h', entrypoint: ['/bin/sh', '-c', script, 'agent'], ...limits };
  const answer = await fetch(`http://127.0.0.1:${port}/agent`, {
    method: 'PUT',
    headers: { authorization: `Bearer ${runtimeToken(REAL_UID)}` },
    body: JSON.stringify(settings),
  });
  if (!answer.ok) throw new Error(await answer.text());
}

export type Seen = InvokeEvent & { readonly id: string };

/** One connection to the events of an invocation. */
export class EventClient {
  readonly status: number;
  readonly headers: Headers;
  readonly events: Seen[] = [];
  /** Settles when the connection has ended; fails when it broke. */
  readonly ended: Promise<void>;
  readonly #abort: AbortController;

  private constructor(answer: Response, abort: AbortController) {
    this.status = answer.status;
    this.headers = answer.headers;
    this.#abort = abort;
    this.ended = this.#read(answer);
    this.ended.catch(() => {});
  }

  static async open(
    url: string,
    options: {
      readonly method?: string;
      readonly key?: string;
      readonly body?: string;
      readonly after?: string;
    } = {},
  ): Promise<EventClient> {
    const { method = 'POST', key = ANN_KEY, body, after } = options;
    const abort = new AbortController();
    const headers = { 'X-API-Key': key, ...(after === undefined ? {} : { 'Last-Event-ID': after }) };
    const init = { method, headers, signal: abort.signal, ...(body === undefined ? {} : { body }) };
    return new EventClient(await fetch(url, init), abort);
  }

  /** What was printed to a stream, as clients join it. */
  text(stream: 'stdout' | 'stderr' = 'stdout'): string {
    const lines = this.events.flatMap((one) =>
      one.event === 'log' && one.data.stream === stream ? [one.data.data] : [],
    );
    return lines.join('\n');
  }

  get invokeId(): string {
    const [first] = this.events;
    return first?.event === 'start' ? first.data.invokeId : '';
  }

  close(): void {
    this.#abort.abort();
  }

  async #read(answer: Response): Promise<void> {
    if (!answer.body) return;
    for await (const event of readEvents(answer.body)) {
      const known = parseInvokeEvent(event);
      if (known) this.events.push({ ...known, id: event.id ?? '' });
    }
  }
}
