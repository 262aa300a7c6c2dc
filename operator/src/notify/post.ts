// SPDX-License-Identifier: Apache-2.0
import { request } from 'node:https';
import type { LookupFunction } from 'node:net';
import { rootCertificates } from 'node:tls';
import type { Address, PublicAddresses } from '@agenttier/machinery/http/publicAddress';

const CONNECT_MS = 5_000;
const REQUEST_MS = 10_000;

export interface PostOptions {
  readonly addresses: Pick<PublicAddresses, 'dial'>;
  /** PEM of authorities that are trusted beside the usual ones. */
  readonly extraCa?: string | undefined;
}

export interface Message {
  readonly url: string;
  readonly body: string;
  readonly headers: Readonly<Record<string, string>>;
}

/** Posts one message; resolves with the HTTP status, rejects with why there is none. */
export type Post = (message: Message, signal: AbortSignal) => Promise<number>;

/**
 * Every message has a connection of its own to the one address that was resolved and found public. The certificate is
 * checked against the name in the URL. A redirect is an answer like any other and not followed; of the answer only the
 * status is read.
 */
export function createPost({ addresses, extraCa }: PostOptions): Post {
  const ca = extraCa ? [...rootCertificates, extraCa] : undefined;
  return async (message, signal) => {
    const limit = AbortSignal.any([signal, AbortSignal.timeout(REQUEST_MS)]);
    const url = new URL(message.url);
    const address = await raced(addresses.dial(url.hostname), limit);
    return send({ url, message, address, ca, signal: limit });
  };
}

interface Sending {
  readonly url: URL;
  readonly message: Message;
  readonly address: Address;
  readonly ca: string[] | undefined;
  readonly signal: AbortSignal;
}

function send({ url, message, address, ca, signal }: Sending): Promise<number> {
  return new Promise((resolve, reject) => {
    const sent = request(url, {
      method: 'POST',
      agent: false,
      headers: { ...message.headers, 'Content-Length': Buffer.byteLength(message.body) },
      lookup: pinned(address),
      signal,
      ...(ca === undefined ? {} : { ca }),
    });
    const timer = setTimeout(
      () => sent.destroy(new Error(`no connection within ${CONNECT_MS / 1000} s`)),
      CONNECT_MS,
    );
    sent.on('socket', (socket) => socket.once('secureConnect', () => clearTimeout(timer)));
    sent.once('response', (response) => {
      resolve(response.statusCode ?? 0);
      response.destroy();
    });
    sent.on('error', (error) => reject(signal.aborted ? reasonFor(signal) : error));
    sent.once('close', () => clearTimeout(timer));
    sent.end(message.body);
  });
}

/** Whatever is asked, the answer is the address that was checked. */
function pinned({ address, family }: Address): LookupFunction {
  return (_hostname, options, callback) => {
    if (options.all) callback(null, [{ address, family }]);
    else callback(null, address, family);
  };
}

const reasonFor = (signal: AbortSignal): Error =>
  (signal.reason as Error).name === 'TimeoutError'
    ? new Error(`no answer within ${REQUEST_MS / 1000} s`)
    : (signal.reason as Error);

/** A resolver cannot be told to stop; its answer is not waited for beyond the limit. */
function raced<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const onAbort = (): void => reject(reasonFor(signal));
    if (signal.aborted) return onAbort();
    signal.addEventListener('abort', onAbort, { once: true });
    work.then(resolve, reject).finally(() => signal.removeEventListener('abort', onAbort));
  });
}
