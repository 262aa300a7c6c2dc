// SPDX-License-Identifier: Apache-2.0
import { json, list, status } from '@agenttier/machinery/testing/scriptedServer';
import { describe, expect, it } from 'vitest';
import { scriptedCluster, sent } from '../testing/scriptedCluster.ts';

const SANDBOXES = '/apis/agenttier.io/v1alpha1/namespaces/team/sandboxes';
const cluster = scriptedCluster();
const sandbox = (name: string, phase = 'Running') => ({
  apiVersion: 'agenttier.io/v1alpha1',
  kind: 'Sandbox',
  metadata: { name, namespace: 'team' },
  spec: { templateRef: { name: 'python' } },
  status: { phase },
});

describe('bulk create', () => {
  it('creates what can be created and fails for the rest', async () => {
    cluster.server.on('POST', SANDBOXES, (response, request) => {
      const { name } = (JSON.parse(request.body) as ReturnType<typeof sandbox>).metadata;
      const refused = status(403, { reason: 'Forbidden', message: `${name} is over quota` });
      (name === 'b' ? refused : json(sandbox(name), 201))(response, request);
    });
    const host = cluster.host();
    host.streams.in.end(['a', 'b', 'c'].map((name) => JSON.stringify(sandbox(name))).join('\n---\n'));
    const { code, out, err } = await cluster.runOn(host, 'bulk', 'create', '-f', '-');
    expect(code).toBe(1);
    expect(out.split('\n').sort()).toEqual([
      '',
      'sandbox.agenttier.io/a created',
      'sandbox.agenttier.io/c created',
    ]);
    expect(err).toBe('Error from server (Forbidden): b is over quota\n');
  });

  it('takes sandboxes only', async () => {
    const host = cluster.host();
    host.streams.in.end('{apiVersion: v1, kind: Pod, metadata: {name: x}}');
    expect((await cluster.runOn(host, 'bulk', 'create', '-f', '-')).err).toBe(
      'error: -:1: bulk create takes Sandboxes only, not Pod; use kubectl apply -f\n',
    );
    expect(cluster.server.requests).toEqual([]);
  });
});

describe('bulk stop, resume, delete', () => {
  it('acts on those that are picked', async () => {
    cluster.server
      .on('GET', SANDBOXES, list([sandbox('a', 'Error'), sandbox('b')]))
      .on('PATCH', /sandboxes/, json(sandbox('a')))
      .on('DELETE', /sandboxes/, json({}));
    const stop = await cluster.run('bulk', 'stop', '-l', 'team=red', '--status', 'error');
    expect(stop).toEqual({ code: 0, out: 'sandbox.agenttier.io/a stopping\n', err: '' });
    expect(cluster.server.requests[0]?.query.get('labelSelector')).toBe('team=red');
    await cluster.run('bulk', 'resume', 'a');
    expect((await cluster.run('bulk', 'delete', '--all')).out.split('\n').sort()).toEqual([
      '',
      'sandbox.agenttier.io/a deleted',
      'sandbox.agenttier.io/b deleted',
    ]);
    expect(sent(cluster, 'PATCH')).toMatchObject([
      { spec: { desiredState: 'Stopped' } },
      { spec: { desiredState: 'Running' } },
    ]);
  });

  it('only says which they are in a dry run', async () => {
    cluster.server.on('GET', SANDBOXES, list([sandbox('a')]));
    const { out } = await cluster.run('bulk', 'delete', '--all', '--dry-run');
    expect(out).toBe('sandbox.agenttier.io/a deleted (dry run)\n');
    expect(cluster.server.requests.map(({ method }) => method)).toEqual(['GET']);
  });

  it('prints the objects or their names where that is asked for', async () => {
    cluster.server
      .on('GET', SANDBOXES, list([sandbox('a')]))
      .on('GET', `${SANDBOXES}/a`, json(sandbox('a')))
      .on('PATCH', /sandboxes/, json(sandbox('a', 'Stopping')))
      .on('DELETE', /sandboxes/, json({}));
    const names = 'sandbox.agenttier.io/a\n';
    for (const verb of ['stop', 'resume', 'delete'])
      expect(await cluster.run('bulk', verb, '--all', '-o', 'name')).toEqual({
        code: 0,
        out: names,
        err: '',
      });
    const stopped = await cluster.run('bulk', 'stop', 'a', '-o', 'json');
    expect(JSON.parse(stopped.out)).toEqual(sandbox('a', 'Stopping'));
    const looked = await cluster.run('bulk', 'stop', 'a', '--dry-run', '-o', 'json');
    expect(JSON.parse(looked.out)).toEqual(sandbox('a'));
    expect(sent(cluster, 'PATCH')).toHaveLength(3);
    const refused = await cluster.run('bulk', 'delete', 'a', '-o', 'json');
    expect(refused).toMatchObject({ code: 1, out: '', err: expect.stringContaining('-o name') });
    expect(sent(cluster, 'DELETE')).toHaveLength(1);
  });

  it.each([
    [[], 'error: name sandboxes, or pick them with -l, --status or --all\n'],
    [['a', '--all'], 'error: give names or -l, --status and --all, not both\n'],
  ])('refuses %j', async (args, err) => {
    expect(await cluster.run('bulk', 'delete', ...args)).toEqual({ code: 2, out: '', err });
  });
});
