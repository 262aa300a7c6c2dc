// SPDX-License-Identifier: Apache-2.0
import type { Host } from '../context/host.ts';
import type { GlobalFlags } from '../context/host.ts';
import { namespaceFor } from '../terminal/run.ts';
import { callRouter, requiredRouter, type RouterAccess, type RouterCall, routerUrl } from './router.ts';
import { sandboxNames } from './sandboxes.ts';

export type Query = Readonly<Record<string, string | undefined>>;

/** An open way to the router's REST contract. */
export interface Rest {
  readonly router: RouterAccess;
  /** URL of a path below /api/v1. */
  url(path: string, query?: Query): URL;
  /** One call with a JSON answer. Rejects with RouterError. */
  call<T>(path: string, call?: Omit<RouterCall, 'signal'>, query?: Query): Promise<T>;
}

export async function openRest(host: Host, flags: GlobalFlags): Promise<Rest> {
  const router = await requiredRouter(host, flags);
  const url = (path: string, query: Query = {}): URL => routerUrl(router, `/api/v1${path}`, query);
  return {
    router,
    url,
    call: (path, call = {}, query = {}) =>
      callRouter(router, url(path, query), { ...call, signal: host.signal }),
  };
}

/** The same, for paths below one sandbox of the namespace that commands work in. */
export async function openSandboxRest(host: Host, flags: GlobalFlags, name: string): Promise<Rest> {
  const rest = await openRest(host, flags);
  const namespace = await namespaceFor(host, flags);
  const [bare = ''] = sandboxNames([name]);
  const below = (path: string): string => `/sandboxes/${encodeURIComponent(bare)}${path}`;
  return {
    router: rest.router,
    url: (path, query = {}) => rest.url(below(path), { namespace, ...query }),
    call: (path, call, query = {}) => rest.call(below(path), call, { namespace, ...query }),
  };
}
