// SPDX-License-Identifier: Apache-2.0
import type { IncomingHttpHeaders } from 'node:http';

/**
 * What passes between a browser and a program of a sandbox. The program is not trusted: it gets no credential of the
 * caller, and what it answers can do nothing to other origins.
 */

type Values = Readonly<Record<string, string | readonly string[] | undefined>>;

/** What a request is seen as by the program. */
export interface Seen {
  /** Of the program, as it calls itself: `http://localhost:3000`. */
  readonly localOrigin: string;
  /** As the browser calls it; absent on the path route, whose pages have no origin of their own. */
  readonly ownOrigin?: string | undefined;
  readonly host: string;
  readonly scheme: 'http' | 'https';
  readonly sourceIp: string | undefined;
  /** Of the path, taken away before the program sees it. */
  readonly prefix?: string | undefined;
}

export const COOKIE_NAMES: readonly string[] = ['__Host-agenttier-preview', 'agenttier-preview'];

/** RFC 9110 section 7.6.1, with those that were in use before it. */
const HOP_BY_HOP = new Set([
  'connection',
  'keep-alive',
  'proxy-connection',
  'proxy-authenticate',
  'proxy-authorization',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
]);

/** Credentials, and what the router says in its own words. */
const NOT_TO_SANDBOX = new Set([
  'authorization',
  'cookie',
  'expect',
  'forwarded',
  'host',
  'origin',
  'referer',
  'x-api-key',
  'x-real-ip',
]);

/** What would hold for more than the one answer, on an origin that is not the program's. */
const NOT_ON_OUR_ORIGIN = new Set([
  'accept-ch',
  'alt-svc',
  'clear-site-data',
  'nel',
  'origin-agent-cluster',
  'report-to',
  'reporting-endpoints',
  'service-worker-allowed',
  'set-cookie',
  'strict-transport-security',
]);

const isOurs = (name: string): boolean => name.startsWith('x-agenttier-') || name.startsWith('x-forwarded-');

/** The headers that the program gets; all of one value. */
export function toSandbox(headers: IncomingHttpHeaders, seen: Seen): Record<string, string> {
  const named = namedInConnection(headers.connection);
  const passed = Object.entries(headers).flatMap(([name, value]) => {
    const stays = HOP_BY_HOP.has(name) || NOT_TO_SANDBOX.has(name) || isOurs(name) || named.has(name);
    return stays || value === undefined ? [] : [[name, Array.isArray(value) ? value.join(', ') : value]];
  });
  return {
    ...(Object.fromEntries(passed) as Record<string, string>),
    ...optional('cookie', cookieFor(headers.cookie, seen)),
    ...optional('origin', localized(headers.origin, seen)),
    ...optional('referer', localized(headers.referer, seen)),
    ...optional('x-forwarded-for', seen.sourceIp),
    'x-forwarded-host': seen.host,
    'x-forwarded-proto': seen.scheme,
    ...optional('x-forwarded-prefix', seen.prefix),
  };
}

const optional = (name: string, value: string | undefined): Record<string, string> =>
  value === undefined || value === '' ? {} : { [name]: value };

const namedInConnection = (connection: string | undefined): ReadonlySet<string> =>
  new Set((connection ?? '').split(',').map((name) => name.trim().toLowerCase()));

/** On the path route cookies are those of the dashboard's origin. */
function cookieFor(cookie: string | undefined, { ownOrigin }: Seen): string | undefined {
  if (cookie === undefined || ownOrigin === undefined) return undefined;
  const kept = cookie.split(';').filter((pair) => !COOKIE_NAMES.includes(nameOf(pair)));
  return kept.join(';').trim();
}

const nameOf = (pair: string): string => (pair.split('=')[0] ?? '').trim();

/** Programs compare the origin of a request with their own host: what is one to the browser must be one to them. */
function localized(url: string | undefined, { ownOrigin, localOrigin }: Seen): string | undefined {
  if (url === undefined || ownOrigin === undefined) return url;
  if (url === ownOrigin || url.startsWith(`${ownOrigin}/`)) return localOrigin + url.slice(ownOrigin.length);
  return url;
}

/** The headers that the browser gets of the program's answer. */
export function toBrowser(headers: Values, seen: Seen): Record<string, string | string[]> {
  const named = namedInConnection(one(headers['connection']));
  const onPath = seen.ownOrigin === undefined;
  const answer: Record<string, string | string[]> = {};
  const stays = (name: string): boolean =>
    HOP_BY_HOP.has(name) || named.has(name) || isOurs(name) || (onPath && isForOrigin(name));
  for (const [name, value] of Object.entries(headers)) {
    if (value !== undefined && !stays(name)) answer[name] = typeof value === 'string' ? value : [...value];
  }
  const location = one(headers['location']);
  if (location !== undefined) answer['location'] = relocated(location, seen);
  return onPath ? caged(answer) : { ...answer, ...cookiesOf(headers['set-cookie']) };
}

const isForOrigin = (name: string): boolean =>
  NOT_ON_OUR_ORIGIN.has(name) || name.startsWith('access-control-');

const one = (value: string | readonly string[] | undefined): string | undefined =>
  typeof value === 'string' ? value : value?.join(', ');

/** A page of a sandbox on the dashboard's own origin could act there with all that the person may. */
function caged(answer: Record<string, string | string[]>): Record<string, string | string[]> {
  const policies = one(answer['content-security-policy']);
  return {
    ...answer,
    'content-security-policy': policies ? `${policies}, sandbox` : 'sandbox',
    'x-content-type-options': 'nosniff',
    'cache-control': 'no-store',
  };
}

/** Cookies are for the one host: with a domain they would reach other previews. Ours cannot be set by a program. */
function cookiesOf(cookies: string | readonly string[] | undefined): { 'set-cookie'?: string[] } {
  if (cookies === undefined) return {};
  const kept = (typeof cookies === 'string' ? [cookies] : cookies)
    .filter((cookie) => !COOKIE_NAMES.includes(nameOf(cookie)))
    .map((cookie) =>
      cookie
        .split(';')
        .filter((part, i) => i === 0 || nameOf(part).toLowerCase() !== 'domain')
        .join(';'),
    );
  return { 'set-cookie': kept };
}

/** A redirect to where the program thinks that it is leads to where the browser finds it. */
function relocated(location: string, { localOrigin, prefix = '' }: Seen): string {
  const local = [localOrigin, localOrigin.replace('//localhost', '//127.0.0.1')].find(
    (origin) => location === origin || location.startsWith(`${origin}/`),
  );
  const path = local === undefined ? location : location.slice(local.length) || '/';
  return path.startsWith('/') && !path.startsWith('//') ? prefix + path : path;
}
