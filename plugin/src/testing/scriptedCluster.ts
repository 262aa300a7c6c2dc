// SPDX-License-Identifier: Apache-2.0
import { ScriptedServer } from '@agenttier/machinery/testing/scriptedServer';
import { afterEach, beforeEach } from 'vitest';
import { fakeHost, type FakeHost, type PluginRun, runWith, writeKubeconfig } from './fakeHost.ts';

/** An API server that a test scripts, fresh for each of its cases, and command lines against it. */
export interface ScriptedCluster {
  readonly server: ScriptedServer;
  run(...args: string[]): Promise<PluginRun>;
  runOn(host: FakeHost, ...args: string[]): Promise<PluginRun>;
  host(variables?: Readonly<Record<string, string>>): FakeHost;
}

export function scriptedCluster(): ScriptedCluster {
  let server: ScriptedServer;
  let config: string;
  beforeEach(async () => {
    server = await ScriptedServer.start();
    config = await writeKubeconfig(server.access().server);
  });
  afterEach(() => server.close());
  const host = (variables: Readonly<Record<string, string>> = {}): FakeHost =>
    fakeHost({ variables: { KUBECONFIG: config, ...variables } });
  return {
    get server() {
      return server;
    },
    host,
    run: (...args) => runWith(host(), ...args),
    runOn: (one, ...args) => runWith(one, ...args),
  };
}

/** What was sent, parsed. */
export const sent = (cluster: ScriptedCluster, method: string): unknown[] =>
  cluster.server.requests
    .filter((request) => request.method === method)
    .map(({ body }) => (body === '' ? undefined : (JSON.parse(body) as unknown)));
