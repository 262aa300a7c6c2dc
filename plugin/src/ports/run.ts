// SPDX-License-Identifier: Apache-2.0
import { openSandboxRest } from '../client/rest.ts';
import { CommandError } from '../context/failure.ts';
import { type Host, write } from '../context/host.ts';
import type { VerbOptions } from '../context/verb.ts';
import { printAnswer, printRows } from '../printers/answer.ts';
import type { Column } from '../printers/table.ts';

interface Forwarded {
  readonly port: number;
  readonly protocol: string;
  readonly previewUrl?: string;
}

interface Listening {
  readonly port: number;
  readonly addresses: readonly string[];
  readonly command?: string;
}

const FORWARDED: readonly Column<Forwarded>[] = [
  { header: 'PORT', value: ({ port }) => String(port) },
  { header: 'PROTOCOL', value: ({ protocol }) => protocol },
  { header: 'URL', value: ({ previewUrl }) => previewUrl },
];
const LISTENING: readonly Column<Listening>[] = [
  { header: 'PORT', value: ({ port }) => String(port) },
  { header: 'ADDRESSES', value: ({ addresses }) => addresses.join(',') },
  { header: 'COMMAND', value: ({ command }) => command },
];

export async function listPorts(
  host: Host,
  options: VerbOptions & { readonly listening?: boolean },
): Promise<void> {
  const [name = ''] = options.args;
  const rest = await openSandboxRest(host, options, name);
  if (options.listening === true) {
    const answer = await rest.call<{ ports: readonly Listening[] }>('/ports/listening');
    const shown = { rows: answer.ports, columns: LISTENING, none: `Nothing listens in sandbox ${name}` };
    return printRows(host, options, answer, shown);
  }
  const answer = await rest.call<{ ports: readonly Forwarded[] }>('/ports');
  const none = `No port of sandbox ${name} is forwarded`;
  return printRows(host, options, answer, { rows: answer.ports, columns: FORWARDED, none });
}

export async function forwardPort(
  host: Host,
  options: VerbOptions & { readonly protocol: string },
): Promise<void> {
  const [name = '', text = ''] = options.args;
  const port = parsePort(text);
  const rest = await openSandboxRest(host, options, name);
  const made = await rest.call<Forwarded>('/ports', { body: { port, protocol: options.protocol } });
  const place = made.previewUrl === undefined ? '' : ` -> ${made.previewUrl}`;
  await printAnswer(host, options, made, `forwarded port ${port}${place}`);
}

export async function removePort(host: Host, options: VerbOptions): Promise<void> {
  const [name = '', text = ''] = options.args;
  const port = parsePort(text);
  const rest = await openSandboxRest(host, options, name);
  await rest.call(`/ports/${port}`, { method: 'DELETE' });
  await write(host.streams.out, `removed forward for port ${port}\n`);
}

function parsePort(text: string): number {
  const port = /^\d{1,5}$/.test(text) ? Number(text) : 0;
  if (port >= 1 && port <= 65_535) return port;
  throw new CommandError(`${JSON.stringify(text)} is not a port from 1 to 65535`, 2);
}
