// SPDX-License-Identifier: Apache-2.0
import { posix } from 'node:path';
import { openSandboxRest, type Rest } from '../client/rest.ts';
import { openRouter, type RouterCall } from '../client/router.ts';
import type { GlobalFlags, Host } from '../context/host.ts';

export interface Entry {
  readonly name: string;
  /** Below the listed folder; only with a depth above 1. */
  readonly path?: string;
  readonly type?: string;
  readonly size: number;
  readonly isDir: boolean;
  readonly mode: string;
  readonly permissions?: string;
  readonly modifiedAt: number;
  readonly target?: string;
}

export interface Listing {
  readonly path: string;
  readonly entries: readonly Entry[];
  readonly continue?: string;
}

/** The files of one sandbox. */
export interface Remote {
  readonly rest: Rest;
  /** Absolute form of a path: what does not begin with / is below the workspace. */
  absolute(path: string): Promise<string>;
  list(path: string | undefined, depth?: number): Promise<Listing>;
  /** One call about the file, read as it comes. */
  open(path: string, call?: Partial<RouterCall>, query?: Readonly<Record<string, string>>): Promise<Response>;
}

export async function openRemote(host: Host, flags: GlobalFlags, sandbox: string): Promise<Remote> {
  const rest = await openSandboxRest(host, flags, sandbox);
  let workspace: Promise<string> | undefined;
  const list = (path: string | undefined, depth = 1): Promise<Listing> => wholeListing(rest, path, depth);
  const absolute = async (path: string): Promise<string> => {
    if (path.startsWith('/')) return path;
    workspace ??= rest.call<Listing>('/files', {}, { limit: '1' }).then((found) => found.path);
    return posix.join(await workspace, path);
  };
  return {
    rest,
    absolute,
    list,
    open: async (path, call = {}, query = {}) => {
      const url = rest.url(filePath(await absolute(path)), query);
      return openRouter(rest.router, url, { signal: host.signal, accept: '*/*', ...call });
    },
  };
}

/** Path of the route of a file: each part encoded, so that no name is taken for anything else. */
export const filePath = (absolute: string): string =>
  `/files/${absolute.replace(/^\/+/, '').split('/').map(encodeURIComponent).join('/')}`;

async function wholeListing(rest: Rest, path: string | undefined, depth: number): Promise<Listing> {
  const query = { path, depth: depth === 1 ? undefined : String(depth) };
  const first = await rest.call<Listing>('/files', {}, query);
  const entries = [...first.entries];
  for (let next = first.continue; next !== undefined; ) {
    const page = await rest.call<Listing>('/files', {}, { ...query, continue: next });
    entries.push(...page.entries);
    next = page.continue;
  }
  return { path: first.path, entries };
}
