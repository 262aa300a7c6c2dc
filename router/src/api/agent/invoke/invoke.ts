// SPDX-License-Identifier: Apache-2.0
import { json } from 'node:stream/consumers';
import { parseDuration } from '@agenttier/crds/meta/duration';
import { actorDigest } from '@agenttier/crds/sandbox/agentConfig';
import type { RuntimeRequest } from '../../../cluster/runtimeClient.ts';
import { EVENT_STREAM_HEADERS } from '../../../sse/eventStream.ts';
import { lastEventId } from '../../../sse/readEvents.ts';
import type { HttpError } from '../../errors.ts';
import { refusals } from '../../errors.ts';
import type { Call, Reply } from '../../route.ts';
import { admitAgent, awaitTold } from '../admit.ts';
import type { AdmitOptions, Agent } from '../admit.ts';
import { cancelAbandoned, newInvokeId } from './abandoned.ts';
import { InvocationRecord } from './record.ts';
import type { RecordOptions } from './record.ts';
import type { InvokeOutcome } from '../metrics.ts';
import { relay } from './relay.ts';
import { ACTOR_HEADER, ADMIN_HEADER, ask, MAX_INPUT, refusalOf } from '../runtime.ts';
import type { AskRuntime } from '../runtime.ts';

export interface InvokeOptions extends AdmitOptions, RecordOptions {
  readonly runtime: AskRuntime;
}

/** Runs the agent. The runtime in the pod owns the invocation, its cap and its end; this only stands between. */
export async function invoke(options: InvokeOptions, call: Call): Promise<Reply> {
  const agent = await admitAgent(options, call, 'invoke');
  const { resume, query } = readQuery(call.query);
  // A caller who gave the name can come back by it; ours is known to nobody before the first event has told it.
  const ownId = query.has('id') ? undefined : newInvokeId();
  if (ownId !== undefined) query.set('id', ownId);
  const { sandbox, target } = agent;
  const abandon = (): void => {
    if (ownId === undefined || !call.signal.aborted) return;
    void cancelAbandoned(options.runtime, { invokeId: ownId, target, sub: call.principal.sub });
  };
  const record = new InvocationRecord(options, { sandbox, call, outlives: resume > 0 });
  const request = {
    method: 'POST',
    path: `/invoke?${query.toString()}`,
    headers: inputHeaders(call),
  } as const;
  const answer = await begin(options, call, { agent, record, request, abandon });
  const stream = relay(answer.stream, {
    started: (invokeId) => record.started(invokeId),
    ended: (passed) => {
      if (passed.invokeId === undefined) abandon();
      record.ended(passed);
    },
  });
  return { status: 200, headers: EVENT_STREAM_HEADERS, stream };
}

interface Attempt {
  readonly agent: Agent;
  readonly record: InvocationRecord;
  readonly request: Omit<RuntimeRequest, 'signal' | 'body'>;
  /** It may have begun, and the caller has gone. */
  readonly abandon: () => void;
}

async function begin(options: InvokeOptions, call: Call, { agent, record, request, abandon }: Attempt) {
  try {
    if (Number(call.headers['content-length'] ?? 0) > MAX_INPUT) throw refusals.tooLarge(MAX_INPUT);
    await awaitTold(options, agent, call.signal);
    const { signal, stream: body } = call;
    const answer = await ask(options.runtime, agent.target, { ...request, body, signal }).catch((error) => {
      abandon();
      throw error;
    });
    if (answer.status !== 200) throw await refusalOf(answer);
    return answer;
  } catch (error) {
    record.refused(call.signal.aborted ? 'canceled' : outcomeOf(error as Partial<HttpError>), error);
    throw error;
  }
}

const OUTCOMES: Readonly<Record<number, InvokeOutcome>> = {
  413: 'body_too_large',
  424: 'not_configured',
  429: 'throttled',
};

const outcomeOf = ({ status = 500 }: Partial<HttpError>): InvokeOutcome => OUTCOMES[status] ?? 'error';

function inputHeaders({ headers, principal }: Call): Record<string, string> {
  const length = headers['content-length'];
  return {
    'content-type': 'application/octet-stream',
    [ACTOR_HEADER]: actorDigest(principal.sub),
    ...(typeof length === 'string' ? { 'content-length': length } : {}),
  };
}

/** Longest time that an invocation goes on unread; the runtime's own ceiling. */
const MAX_RESUME_MS = 60_000;

/** A timeout that is none is left out, as clients of old expect; a wrong `resume` is new enough to be told. */
function readQuery(given: URLSearchParams): { readonly resume: number; readonly query: URLSearchParams } {
  const query = new URLSearchParams();
  const prompt = given.get('prompt');
  const id = given.get('id');
  const timeout = given.get('timeout');
  if (id) query.set('id', id);
  if (prompt) query.set('prompt', prompt);
  if (timeout && parseDuration(timeout)) query.set('timeout', timeout);
  const asked = given.get('resume') ?? '0';
  const resume = parseDuration(asked);
  if (resume === undefined || resume > MAX_RESUME_MS) {
    throw refusals.invalidFields([
      { field: 'resume', message: 'must be a duration of at most 60s, such as "30s"' },
    ]);
  }
  if (resume > 0) query.set('linger', asked);
  return { resume, query };
}

/** The events after the one that was seen last, from whichever replica. */
export async function follow(options: InvokeOptions, call: Call): Promise<Reply> {
  const { sandbox, target } = await admitAgent(options, call, 'invoke');
  const after = lastEventId(call.headers, call.query);
  const answer = await ask(options.runtime, target, {
    method: 'GET',
    path: `/invoke/${encodeURIComponent(call.params['invokeId'] ?? '')}`,
    headers: after === undefined ? {} : { 'last-event-id': after },
    signal: call.signal,
  });
  if (answer.status !== 200) throw await refusalOf(answer);
  // Whoever reads beside the one who began it does not tell its end a second time.
  const isAlone = answer.headers['x-agenttier-readers'] === '1';
  const record = isAlone ? new InvocationRecord(options, { sandbox, call, outlives: true }) : undefined;
  const stream = relay(answer.stream, { ended: (passed) => record?.ended(passed) });
  return { status: 200, headers: EVENT_STREAM_HEADERS, stream };
}

/** From any replica; for who began it, for the owner of the sandbox, and for administrators. */
export async function cancel(
  options: InvokeOptions,
  call: Call<{ readonly invokeId: string }>,
): Promise<Reply> {
  const { sandbox, role, target } = await admitAgent(options, call, 'invoke');
  const { principal, sourceIp, body } = call;
  const mayAll = role === 'owner' || role === 'admin';
  const answer = await ask(options.runtime, target, {
    method: 'DELETE',
    path: `/invoke/${encodeURIComponent(body.invokeId)}`,
    headers: { [ACTOR_HEADER]: actorDigest(principal.sub), [ADMIN_HEADER]: String(mayAll) },
    signal: call.signal,
  });
  if (answer.status !== 204) throw await refusalOf(answer);
  answer.stream.resume();
  const note = `Invocation ${body.invokeId} is being cancelled`;
  options.audit(sandbox, { action: 'AgentInvokeCancelled', principal, sourceIp, note });
  return { status: 204 };
}

interface RuntimeState {
  readonly limit: number;
  readonly inflight: number;
  readonly invokes: readonly object[];
}

export async function list(options: InvokeOptions, call: Call): Promise<Reply> {
  const { target } = await admitAgent(options, call, 'invoke');
  const { signal } = call;
  const answer = await ask(options.runtime, target, { method: 'GET', path: '/agent', signal });
  if (answer.status !== 200) throw await refusalOf(answer);
  const { limit, inflight, invokes } = (await json(answer.stream)) as RuntimeState;
  return { status: 200, body: { limit, inflight, invokes } };
}
