// SPDX-License-Identifier: Apache-2.0
import { Readable } from 'node:stream';
import { type ConfigureEvent, type ConfigureResult, parseConfigureEvent } from '@agenttier/crds/wire/agent';
import { EVENT_STREAM, serverEvents } from '../client/agentEvents.ts';
import { openRouter, requiredRouter, routerUrl } from '../client/router.ts';
import { sandboxNames } from '../client/sandboxes.ts';
import { CommandError } from '../context/failure.ts';
import { type GlobalFlags, type Host, write } from '../context/host.ts';
import { namespaceFor } from '../terminal/run.ts';
import { bodyText, type ConfigureBody, localFile } from './body.ts';
import { splitWords } from './words.ts';

export interface ConfigureOptions extends GlobalFlags {
  readonly name: string;
  readonly file?: readonly string[];
  readonly install?: string;
  readonly entrypoint?: string;
  readonly output?: 'json';
}

const INTERRUPTED = 130;

/** Configures the agent and answers the exit code of its installation. */
export async function runConfigure(host: Host, options: ConfigureOptions): Promise<number> {
  const body = await bodyOf(options);
  const router = await requiredRouter(host, options);
  const namespace = await namespaceFor(host, options);
  const [name = ''] = sandboxNames([options.name]);
  const url = routerUrl(router, `/api/v1/sandboxes/${encodeURIComponent(name)}/configure`, { namespace });
  try {
    const call = { content: Readable.from(bodyText(body)), accept: EVENT_STREAM, signal: host.signal };
    return await follow(host, await openRouter(router, url, call), options.output === 'json');
  } catch (error) {
    if (!host.signal.aborted) throw error;
    await write(host.streams.err, 'what has begun goes on in the sandbox; the same command shows it again\n');
    return INTERRUPTED;
  }
}

async function bodyOf({ file = [], install, entrypoint }: ConfigureOptions): Promise<ConfigureBody> {
  if (file.length === 0 && install === undefined && entrypoint === undefined) {
    throw new CommandError('nothing to configure: give --file, --install or --entrypoint', 2);
  }
  return {
    files: await Promise.all(file.map(localFile)),
    ...(install === undefined ? {} : { installCommand: splitWords('--install', install) }),
    ...(entrypoint === undefined ? {} : { entrypoint: splitWords('--entrypoint', entrypoint) }),
  };
}

async function follow(host: Host, answer: Response, asJson: boolean): Promise<number> {
  for await (const event of serverEvents(answer)) {
    const known = parseConfigureEvent(event);
    if (known === undefined) continue;
    if (asJson) await write(host.streams.out, `${JSON.stringify({ event: known.event, ...known.data })}\n`);
    else await show(host, known);
    if (known.event === 'error') throw new CommandError(`${known.data.phase}: ${known.data.message}`);
    if (known.event === 'result') return exitCodeOf(known.data);
  }
  throw new CommandError(
    'the connection ended before the installation; it goes on, the same command shows it again',
  );
}

async function show({ streams }: Host, { event, data }: ConfigureEvent): Promise<void> {
  if (event === 'error') return;
  if (event === 'log') return write(data.stream === 'stdout' ? streams.out : streams.err, `${data.data}\n`);
  const { installExitCode, installCommandHash, skipped } = data;
  const text = `configure: install exit ${installExitCode}, hash=${installCommandHash || '-'}, skipped=${skipped}\n`;
  await write(streams.out, text);
}

/** An installation that ran out of time has no code of its own. */
const exitCodeOf = ({ installExitCode }: ConfigureResult): number =>
  installExitCode < 0 ? 1 : installExitCode;
