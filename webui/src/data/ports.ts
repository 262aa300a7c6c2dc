// SPDX-License-Identifier: Apache-2.0
import type { Operations } from '@agenttier/client';
import { RUNTIME_PORT } from '@agenttier/crds/sandbox/ports';
import { placeOf } from './sandboxes.ts';
import type { SandboxKey } from './sandboxes.ts';
import type { Server } from './server.ts';

export type ForwardedPort = Operations['listPorts']['answer']['ports'][number];
export type ListeningPort = Operations['listListeningPorts']['answer']['ports'][number];
export type Protocol = NonNullable<Operations['forwardPort']['body']['protocol']>;

export const PROTOCOLS: readonly Protocol[] = ['http', 'https', 'tcp'];

export async function listPorts(
  { api }: Server,
  key: SandboxKey,
  signal: AbortSignal,
): Promise<readonly ForwardedPort[]> {
  return (await api.listPorts(placeOf(key), { signal })).ports;
}

/** What listens in a sandbox that runs. Asking is no use of it, and wakes nothing. */
export async function listListening(
  { api }: Server,
  key: SandboxKey,
  signal: AbortSignal,
): Promise<readonly ListeningPort[]> {
  return (await api.listListeningPorts(placeOf(key), { signal })).ports;
}

/** What listens and is not forwarded: offered to be. */
export const suggestionsOf = (
  listening: readonly ListeningPort[],
  forwarded: readonly ForwardedPort[],
): readonly ListeningPort[] =>
  listening
    .filter(({ port }) => port !== RUNTIME_PORT && !forwarded.some((known) => known.port === port))
    .toSorted((a, b) => a.port - b.port);

export const forwardPort = (
  { api }: Server,
  key: SandboxKey,
  port: number,
  protocol: Protocol,
): Promise<ForwardedPort> => api.forwardPort({ ...placeOf(key), body: { port, protocol } });

export async function unforwardPort({ api }: Server, key: SandboxKey, port: number): Promise<void> {
  const { params, query } = placeOf(key);
  await api.unforwardPort({ params: { ...params, port: String(port) }, query });
}

/** An address that lets this browser in, once, within a minute. */
export async function previewUrl({ api }: Server, key: SandboxKey, port: number): Promise<string> {
  const { params, query } = placeOf(key);
  return (await api.createPreviewTicket({ params: { ...params, port: String(port) }, query })).url;
}
