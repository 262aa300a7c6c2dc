// SPDX-License-Identifier: Apache-2.0
import { json } from 'node:stream/consumers';
import type { ExecRequest, RuntimeAnswer, RuntimeClient } from '../../cluster/runtimeClient.ts';
import type { Target } from '../../cluster/target.ts';
import { reach, refused } from '../../preview/askRuntime.ts';
import { EVENT_STREAM_HEADERS } from '../../sse/eventStream.ts';
import { refusals } from '../errors.ts';
import type { Call, Reply } from '../route.ts';

/** Ways to run a command that only the runtime has: streamed, and with nobody waiting. */

type Runtime = Pick<RuntimeClient, 'request'>;

const ID = /^[0-9a-f]{32}$/;
/** Which way was taken. */
export const TRANSPORT = 'X-AgentTier-Transport';

/** The command's output as it comes. The command ends when the signal does. */
export async function stream(
  runtime: Runtime,
  target: Target,
  request: ExecRequest,
  signal: AbortSignal,
): Promise<Reply> {
  const answer = await reach(runtime, target, {
    method: 'POST',
    path: '/exec',
    headers: { accept: 'text/event-stream', 'content-type': 'application/json' },
    body: JSON.stringify(request),
    signal,
  });
  if (answer.status !== 200) throw await refusalOf(answer);
  return {
    status: 200,
    headers: { ...EVENT_STREAM_HEADERS, [TRANSPORT]: answer.transport },
    stream: answer.stream,
  };
}

export async function detach(
  runtime: Runtime,
  target: Target,
  request: ExecRequest,
  signal: AbortSignal,
): Promise<Reply> {
  const answer = await reach(runtime, target, {
    method: 'POST',
    path: '/exec',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(request),
    signal,
  });
  if (answer.status !== 202) throw await refusalOf(answer);
  const { id, startedAt } = (await json(answer.stream)) as { id: string; startedAt: string };
  return { status: 202, headers: { [TRANSPORT]: answer.transport }, body: { execId: id, startedAt } };
}

/** The runtime's refusal: what is wrong with the request is the caller's to know. */
async function refusalOf({ status, stream: body }: RuntimeAnswer): Promise<Error> {
  const said = (await json(body).catch(() => undefined)) as { error?: string } | undefined;
  const text = said?.error ?? '';
  if (status === 400) return refusals.badRequest(text);
  return status === 429 ? refusals.tooManyCommands(text) : refused(status, said);
}

export async function getDetached(runtime: Runtime, target: Target, call: Call): Promise<Reply> {
  const query = new URLSearchParams();
  for (const name of ['wait', 'encoding']) {
    const value = call.query.get(name);
    if (value) query.set(name, value);
  }
  const answer = await askOf(runtime, target, call, { method: 'GET', query: `?${query.toString()}` });
  const body = (await json(answer.stream)) as { id: string };
  if (answer.status === 400) throw refusals.badRequest((body as { error?: string }).error ?? '');
  if (answer.status !== 200) throw refused(answer.status, body);
  const { id, ...result } = body;
  return { status: 200, body: { execId: id, ...result } };
}

export async function endDetached(runtime: Runtime, target: Target, call: Call): Promise<Reply> {
  const answer = await askOf(runtime, target, call, { method: 'DELETE', query: '' });
  answer.stream.resume();
  if (answer.status !== 204) throw refused(answer.status, undefined);
  return { status: 204 };
}

async function askOf(
  runtime: Runtime,
  target: Target,
  { params, signal }: Call,
  { method, query }: { readonly method: 'GET' | 'DELETE'; readonly query: string },
): Promise<RuntimeAnswer> {
  const id = params['execId'] ?? '';
  if (!ID.test(id)) throw refusals.commandNotFound();
  const answer = await reach(runtime, target, { method, path: `/exec/${id}${query}`, signal });
  if (answer.status !== 404) return answer;
  answer.stream.resume();
  throw refusals.commandNotFound();
}
