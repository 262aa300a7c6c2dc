// SPDX-License-Identifier: Apache-2.0
import { type Agent, type ClientRequest, type OutgoingHttpHeaders, request as plainRequest } from 'node:http';
import { request as tlsRequest } from 'node:https';
import { text } from 'node:stream/consumers';
import type { Credential } from '../client/credential.ts';

/** The router as the proxy reaches it. */
export interface Upstream {
  /** Its own path, if it has one, is put in front of every path. */
  readonly url: URL;
  /** How connections are made, where that is not by the address. */
  readonly agent?: Agent;
}

export interface UpstreamRequest {
  readonly method: string;
  /** Path and query. */
  readonly path: string;
  readonly headers: OutgoingHttpHeaders;
}

/** Begins a request; the caller sends the body and ends it. */
export function ask({ url, agent }: Upstream, { method, path, headers }: UpstreamRequest): ClientRequest {
  const target = new URL(url);
  const base = target.pathname.replace(/\/+$/, '');
  const request = target.protocol === 'https:' ? tlsRequest : plainRequest;
  return request({
    protocol: target.protocol,
    hostname: target.hostname.replace(/^\[|\]$/g, ''),
    port: target.port,
    path: `${base}${path}`,
    method,
    headers: { ...headers, host: target.host },
    ...(agent === undefined ? {} : { agent }),
  });
}

export interface SignInConfig {
  readonly mode: 'oidc' | 'keys' | 'dev';
  readonly issuer?: string;
  readonly clientId?: string;
}

/** How the router lets people in. Rejects when it cannot be reached or does not answer like one. */
export async function signInConfig(upstream: Upstream, signal: AbortSignal): Promise<SignInConfig> {
  const answered = Promise.withResolvers<string>();
  const request = ask(upstream, { method: 'GET', path: '/api/v1/auth/config', headers: {} });
  const abort = (): void => void request.destroy(new Error('interrupted'));
  signal.addEventListener('abort', abort, { once: true });
  request.on('error', answered.reject);
  request.on('response', (response) => void text(response).then(answered.resolve, answered.reject));
  request.end();
  try {
    const config = JSON.parse(await answered.promise) as Partial<SignInConfig>;
    if (config.mode === undefined) throw new Error('it does not answer like an AgentTier router');
    return config as SignInConfig;
  } finally {
    signal.removeEventListener('abort', abort);
  }
}

/** Asked before each request that goes on with rights; undefined where everybody is let in. */
export type Authorize = () => Promise<Credential | undefined>;
