// SPDX-License-Identifier: Apache-2.0
import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { randomBytes } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import type { InvokeEvent, InvokeExit } from '@agenttier/crds/wire/agent';
import { callRouter, requiredRouter, routerUrl } from '../client/router.ts';
import { sandboxNames } from '../client/sandboxes.ts';
import { parseTimeout } from '../context/duration.ts';
import { CommandError, messageOf, RouterError } from '../context/failure.ts';
import { type GlobalFlags, type Host, write } from '../context/host.ts';
import { namespaceFor } from '../terminal/run.ts';
import { Invocation } from './invocation.ts';

export interface InvokeOptions extends GlobalFlags {
  readonly name: string;
  readonly prompt?: string;
  readonly input?: string;
  readonly timeout?: string;
  readonly cancel?: string;
  readonly output?: 'json';
}

/** What `timeout(1)` answers for a command that it ended. */
const TIMED_OUT = 124;
/** What a shell answers for a program that Ctrl-C has ended. */
const INTERRUPTED = 130;
/** What cancelling may take when the person has given up already. */
const CANCEL_MS = 5_000;
/** For how long one that has not been heard of yet is asked for: its request may be under way still. */
const UNBEGUN_TRIES = 8;
const UNBEGUN_PAUSE_MS = 125;

/** Invokes the agent, or cancels an invocation, and answers the exit code. */
export async function runInvoke(host: Host, options: InvokeOptions): Promise<number> {
  const router = await requiredRouter(host, options);
  const namespace = await namespaceFor(host, options);
  const [name = ''] = sandboxNames([options.name]);
  const path = `/api/v1/sandboxes/${encodeURIComponent(name)}/invoke`;
  const cancel = (invokeId: string, signal: AbortSignal): Promise<void> =>
    callRouter(router, routerUrl(router, `${path}/cancel`, { namespace }), { body: { invokeId }, signal });
  if (options.cancel !== undefined) {
    await cancel(options.cancel, host.signal);
    await write(host.streams.err, `invoke cancelled: ${options.cancel}\n`);
    return 0;
  }
  if (options.timeout !== undefined) parseTimeout('--timeout', options.timeout);
  const { prompt, timeout } = options;
  const invocation = new Invocation({
    host,
    router,
    path,
    id: `inv-${randomBytes(12).toString('hex')}`,
    query: { namespace, prompt, timeout },
    print: options.output === 'json' ? (event) => printJson(host, event) : (event) => printText(host, event),
  });
  try {
    return exitCodeOf(await invocation.run(await inputOf(host, options.input)));
  } catch (error) {
    if (!host.signal.aborted) throw error;
    const { id } = invocation;
    await insist(() => cancel(id, AbortSignal.timeout(CANCEL_MS))).catch((why: unknown) =>
      isUnknown(why) ? undefined : tellUncancelled(host, id, why),
    );
    return INTERRUPTED;
  }
}

const tellUncancelled = (host: Host, id: string, why: unknown): Promise<void> =>
  write(host.streams.err, `warning: ${id} could not be cancelled: ${messageOf(why)}\n`);

const isUnknown = (error: unknown): boolean => error instanceof RouterError && error.status === 404;

/** Our request ended a moment ago: what it began meanwhile is found within a moment, what it did not begin never. */
async function insist(cancel: () => Promise<void>): Promise<void> {
  for (let left = UNBEGUN_TRIES; ; left -= 1) {
    try {
      return await cancel();
    } catch (error) {
      if (!isUnknown(error) || left === 1) throw error;
    }
    await pause(UNBEGUN_PAUSE_MS);
  }
}

async function printText({ streams }: Host, { event, data }: InvokeEvent): Promise<void> {
  if (event === 'start') return write(streams.err, `invoke started: ${data.invokeId}\n`);
  if (event === 'log') return write(data.stream === 'stdout' ? streams.out : streams.err, `${data.data}\n`);
  const { reason, exitCode, durationMs } = data;
  return write(streams.err, `invoke ${reason}: exit ${exitCode} (duration ${durationMs}ms)\n`);
}

/** For programs: an object a line. */
const printJson = ({ streams }: Host, { event, data }: InvokeEvent): Promise<void> =>
  write(streams.out, `${JSON.stringify({ event, ...data })}\n`);

function exitCodeOf({ exitCode, reason }: InvokeExit): number {
  if (reason === 'completed') return exitCode;
  return reason === 'timeout' ? TIMED_OUT : reason === 'canceled' ? INTERRUPTED : 1;
}

/** `@FILE`, `-` for standard input, or the text itself; `@@text` for a text that begins with an @. */
async function inputOf(host: Host, input: string | undefined): Promise<RequestInit['body']> {
  if (input === undefined) return '';
  if (input === '-') return host.streams.in;
  if (!input.startsWith('@')) return input;
  if (input.startsWith('@@')) return input.slice(1);
  const file = input.slice(1);
  const found = await stat(file).catch(() => undefined);
  if (!found?.isFile()) throw new CommandError(`--input: there is no file ${file}`);
  return createReadStream(file);
}
