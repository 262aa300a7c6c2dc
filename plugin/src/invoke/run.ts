// SPDX-License-Identifier: Apache-2.0
import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import type { InvokeExit } from '@agenttier/crds/wire/agent';
import { callRouter, requiredRouter, routerUrl } from '../client/router.ts';
import { sandboxNames } from '../client/sandboxes.ts';
import { parseTimeout } from '../context/duration.ts';
import { CommandError, messageOf } from '../context/failure.ts';
import { type GlobalFlags, type Host, write } from '../context/host.ts';
import { namespaceFor } from '../terminal/run.ts';
import { Invocation } from './invocation.ts';

export interface InvokeOptions extends GlobalFlags {
  readonly name: string;
  readonly prompt?: string;
  readonly input?: string;
  readonly timeout?: string;
  readonly cancel?: string;
}

/** What `timeout(1)` answers for a command that it ended. */
const TIMED_OUT = 124;
/** What a shell answers for a program that Ctrl-C has ended. */
const INTERRUPTED = 130;
/** What cancelling may take when the person has given up already. */
const CANCEL_MS = 5_000;

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
  const invocation = new Invocation({ host, router, path, query: { namespace, prompt, timeout } });
  try {
    return await ended(host, await invocation.run(await inputOf(host, options.input)));
  } catch (error) {
    if (!host.signal.aborted) throw error;
    const { id } = invocation;
    if (id !== undefined)
      await cancel(id, AbortSignal.timeout(CANCEL_MS)).catch((why) => tellUncancelled(host, id, why));
    return INTERRUPTED;
  }
}

const tellUncancelled = (host: Host, id: string, why: unknown): Promise<void> =>
  write(host.streams.err, `warning: ${id} could not be cancelled: ${messageOf(why)}\n`);

async function ended(host: Host, { exitCode, durationMs, reason }: InvokeExit): Promise<number> {
  await write(host.streams.err, `invoke ${reason}: exit ${exitCode} (duration ${durationMs}ms)\n`);
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
