// SPDX-License-Identifier: Apache-2.0
import { ScriptedServer } from '@agenttier/machinery/testing/scriptedServer';
import { afterEach, beforeEach } from 'vitest';
import { type FakeHost, fakeHost, type PluginRun, runWith } from './fakeHost.ts';

/** A router that a test scripts, fresh for each of its cases, and command lines against it in namespace `team`. */
export interface ScriptedRouter {
  readonly server: ScriptedServer;
  host(): FakeHost;
  run(...args: string[]): Promise<PluginRun>;
  runOn(host: FakeHost, ...args: string[]): Promise<PluginRun>;
  /** What was asked so far: method, path with query, and body. */
  asked(): readonly (readonly [call: string, body?: unknown])[];
}

const runOn = (one: FakeHost, ...args: string[]): Promise<PluginRun> => runWith(one, ...args, '-n', 'team');

export function scriptedRouter(): ScriptedRouter {
  let server: ScriptedServer;
  beforeEach(async () => {
    server = await ScriptedServer.start();
  });
  afterEach(() => server.close());
  const host = (): FakeHost =>
    fakeHost({ variables: { AGENTTIER_API_URL: server.access().server, AGENTTIER_API_KEY: 'atk_secret' } });
  return {
    get server() {
      return server;
    },
    host,
    runOn,
    run: (...args) => runOn(host(), ...args),
    asked: () =>
      server.requests.map(({ method, path, query, body }) => {
        const search = query.toString();
        const call = `${method} ${path.replace('/api/v1', '')}${search === '' ? '' : `?${search}`}`;
        return body === '' ? [call] : [call, JSON.parse(body) as unknown];
      }),
  };
}
