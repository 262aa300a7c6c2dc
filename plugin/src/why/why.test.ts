// SPDX-License-Identifier: Apache-2.0
import { json, list, ScriptedServer, status } from '@agenttier/machinery/testing/scriptedServer';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { fakeHost, type PluginRun, runWith, writeKubeconfig } from '../testing/fakeHost.ts';

const SANDBOX = '/apis/agenttier.io/v1alpha1/namespaces/team/sandboxes/demo';
const EVENTS = '/apis/events.k8s.io/v1/namespaces/team/events';
let server: ScriptedServer;
const run = async (...args: string[]): Promise<PluginRun> =>
  runWith(fakeHost({ variables: { KUBECONFIG: await writeKubeconfig(server.access().server) } }), ...args);

beforeEach(async () => {
  server = await ScriptedServer.start();
});
afterEach(() => server.close());

const sandbox = {
  apiVersion: 'agenttier.io/v1alpha1',
  kind: 'Sandbox',
  metadata: { name: 'demo', namespace: 'team', uid: 'u-1', creationTimestamp: '2026-01-01T00:00:00Z' },
  spec: { resolved: { hash: 'h', spec: {} } },
  status: { phase: 'Creating', reason: 'Unschedulable', message: '0/1 nodes\u001b[2J are available' },
};

describe('why', () => {
  it('says in a paragraph what the sandbox waits for, with the last warning about this very one', async () => {
    server
      .on('GET', SANDBOX, json(sandbox))
      .on(
        'GET',
        EVENTS,
        list([
          { type: 'Warning', reason: 'Restarting', note: 'PodGone: bye', eventTime: '2026-01-01T00:00:01Z' },
        ]),
      );
    const { code, out } = await run('why', 'sandbox/demo');
    expect(code).toBe(0);
    expect(out).toMatch(
      /^Sandbox demo is Creating, for \S+: no node has room for its pod\. 0\/1 nodes \[2J are available\. The last warning was Restarting: PodGone: bye\. It starts by itself [^\n]*\n$/,
    );
    expect(server.requestsTo(EVENTS)[0]?.query.get('fieldSelector')).toBe('regarding.uid=u-1');
  });

  it('does without events that may not be read', async () => {
    server.on('GET', SANDBOX, json(sandbox)).on('GET', EVENTS, status(403, { reason: 'Forbidden' }));
    const { out } = await run('why', 'demo', '-o', 'jsonpath={.phase} {.reason}');
    expect(out).toBe('Creating Unschedulable');
  });

  it('says where a refused sandbox is asked about', async () => {
    const { code, err } = await run('why', 'demo');
    expect(code).toBe(1);
    expect(err).toMatch(/does not exist in namespace team; .*check -f FILE/);
  });
});
