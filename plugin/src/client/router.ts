// SPDX-License-Identifier: Apache-2.0
import { type Credential, givenCredential, savedCredential } from './credential.ts';
import { CommandError, isFact, messageOf, type Refusal, RouterError } from '../context/failure.ts';
import type { GlobalFlags, Host } from '../context/host.ts';

/** Where the router is, and what lets the caller in; without that it is one that lets everybody in (development). */
export interface RouterAccess {
  readonly url: URL;
  readonly credential?: Credential;
}

/** Which way into a sandbox to take. */
export const WAYS = ['auto', 'router', 'kubernetes'] as const;
export type Way = (typeof WAYS)[number];

/**
 * The router, if this command is to use it: it and a credential are known, and `way` does not say otherwise. Flags win over
 * the environment, and that over what `login` remembered; a remembered credential goes to the router that it was remembered
 * for and to no other. Throws CommandError when the router was asked for and something is missing, or when the URL is none.
 */
export async function routerAccess(
  host: Host,
  flags: GlobalFlags,
  way: Way = 'auto',
): Promise<RouterAccess | undefined> {
  if (way === 'kubernetes') return undefined;
  const address = flags.apiUrl ?? host.environment.apiUrl;
  const given = givenCredential(host, flags);
  if (address !== undefined && given !== undefined)
    return { url: parseRouterUrl(address), credential: given };
  return rememberedRouter(host, way, { address, given });
}

interface Told {
  readonly address: string | undefined;
  readonly given: Credential | undefined;
}

/** Fills in what was not told. */
async function rememberedRouter(
  host: Host,
  way: Way,
  { address, given }: Told,
): Promise<RouterAccess | undefined> {
  const { readLogin } = await import('./savedLogin.ts');
  const saved = await readLogin(host);
  const known = address ?? saved.api_url;
  if (known === undefined) return missing(way, '--api-url or AGENTTIER_API_URL');
  const url = parseRouterUrl(known);
  if (given !== undefined) return { url, credential: given };
  const theirs = saved.api_url !== undefined && parseRouterUrl(saved.api_url).href === url.href;
  if (!theirs) return missing(way, '--api-key or AGENTTIER_API_KEY');
  const credential = await savedCredential(host, saved);
  return { url, ...(credential ? { credential } : {}) };
}

function missing(way: Way, what: string): undefined {
  if (way === 'auto') return undefined;
  throw new CommandError(
    `the router cannot be used: set ${what}, or sign in with: kubectl agenttier login --api-url URL`,
  );
}

/** The router of a command that cannot do without one. */
export async function requiredRouter(host: Host, flags: GlobalFlags): Promise<RouterAccess> {
  const router = await routerAccess(host, flags, 'router');
  if (router === undefined) throw new CommandError('the router cannot be used');
  return router;
}

/** Throws CommandError for what is no address of a router. */
export function parseRouterUrl(text: string): URL {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url?.protocol !== 'http:' && url?.protocol !== 'https:') {
    throw new CommandError(
      `the router's URL must start with http:// or https://, not ${JSON.stringify(text)}`,
    );
  }
  return url;
}

/** URL of a path below the router's base URL, whose own path is kept. */
export function routerUrl(
  access: RouterAccess,
  path: string,
  query: Readonly<Record<string, string | undefined>> = {},
): URL {
  const url = new URL(access.url);
  url.pathname = `${url.pathname.replace(/\/+$/, '')}${path}`;
  for (const [name, value] of Object.entries(query))
    if (value !== undefined) url.searchParams.set(name, value);
  return url;
}

/** A call of the REST contract; without a method it is a POST where there is a body, and a GET otherwise. */
export interface RouterCall {
  readonly method?: string;
  /** Sent as JSON. */
  readonly body?: unknown;
  /** Sent as it is, instead of `body`. */
  readonly content?: RequestInit['body'];
  /** Length of a streamed `content` in bytes, where it is known. */
  readonly length?: number;
  readonly accept?: string;
  readonly signal: AbortSignal;
}

/** One REST call whose answer is JSON; undefined when it has none. Rejects with RouterError, whose status is 0 when the router gave no answer. */
export async function callRouter<T>(access: RouterAccess, url: URL, call: RouterCall): Promise<T> {
  const answer = await openRouter(access, url, call);
  const text = await answer.text();
  if (text === '') return undefined as T;
  try {
    return JSON.parse(text) as T;
  } catch (error) {
    throw new RouterError({
      status: answer.status,
      code: 'BadAnswer',
      message: `${url.origin} does not answer like an AgentTier router`,
      cause: error,
    });
  }
}

/** The same for an answer that is read as it comes. Whoever leaves it unread aborts the signal. */
export async function openRouter(access: RouterAccess, url: URL, call: RouterCall): Promise<Response> {
  const answer = await askRouter(access, url, call);
  if (answer.ok) return answer;
  throw routerError(answer.status, await answer.text());
}

/** The answer whatever its status. Rejects with RouterError only when there is none. */
export async function askRouter(access: RouterAccess, url: URL, call: RouterCall): Promise<Response> {
  const withBody = call.body !== undefined;
  const content = withBody ? JSON.stringify(call.body) : call.content;
  const init = {
    method: call.method ?? (content === undefined ? 'GET' : 'POST'),
    headers: {
      ...credentials(access),
      Accept: call.accept ?? 'application/json',
      ...(withBody ? { 'Content-Type': 'application/json' } : {}),
      ...(call.length === undefined ? {} : { 'Content-Length': String(call.length) }),
    },
    ...(content === undefined ? {} : { body: content, duplex: 'half' }),
    signal: call.signal,
    // A redirect would carry the key to wherever it points.
    redirect: 'error',
  } as const;
  try {
    return await fetch(url, init as RequestInit);
  } catch (error) {
    if (call.signal.aborted) throw error;
    throw new RouterError({
      status: 0,
      code: 'NetworkError',
      message: `unable to reach the router at ${url.origin}: ${reasonOf(error)}`,
      cause: error,
    });
  }
}

/** The headers that let the caller in. */
export const credentials = ({ credential }: RouterAccess): Record<string, string> =>
  credential === undefined ? {} : { [credential.header]: credential.value };

/** fetch says only "fetch failed"; what happened is in its cause. */
function reasonOf(error: unknown): string {
  const cause = error instanceof Error ? error.cause : undefined;
  if (cause instanceof AggregateError && cause.errors.length > 0) return messageOf(cause.errors[0]);
  return messageOf(cause ?? error);
}

const CODE = /^[a-z][a-z0-9_]*$/;
const NAMES: Readonly<Record<number, string>> = {
  400: 'BadRequest',
  401: 'Unauthorized',
  403: 'Forbidden',
  404: 'NotFound',
  409: 'Conflict',
  422: 'Invalid',
  429: 'TooManyRequests',
  503: 'ServiceUnavailable',
};

/** RouterError for an answer: `error` is a code for programs in known cases and a sentence otherwise. */
export function routerError(status: number, text: string): RouterError {
  const body = parseObject(text);
  const error = typeof body['error'] === 'string' ? body['error'] : '';
  const message = typeof body['message'] === 'string' ? body['message'] : '';
  const name = NAMES[status] ?? String(status);
  const refusals = Array.isArray(body['violations']) ? body['violations'].map(refusalOf) : [];
  if (CODE.test(error)) return new RouterError({ status, code: error, message: message || error, refusals });
  const sentence = [error, message].filter((part) => part !== '').join(': ');
  return new RouterError({
    status,
    code: name,
    message: sentence || text.trim().slice(0, 200) || `HTTP ${status}`,
    refusals,
  });
}

function refusalOf(value: unknown): Refusal {
  const { code, field, message, limit, actual } = (
    typeof value === 'object' && value !== null ? value : {}
  ) as Record<string, unknown>;
  return {
    ...(typeof code === 'string' ? { code } : {}),
    ...(typeof field === 'string' && field !== '' ? { field } : {}),
    message: typeof message === 'string' ? message : 'refused',
    ...(isFact(limit) ? { limit } : {}),
    ...(isFact(actual) ? { actual } : {}),
  };
}

function parseObject(text: string): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
  } catch {
    return {};
  }
}
