// SPDX-License-Identifier: Apache-2.0
import { json, status } from '@agenttier/machinery/testing/scriptedServer';
import { until } from '@agenttier/machinery/testing/until';
import { describe, expect, it } from 'vitest';
import { scriptedCluster } from '../testing/scriptedCluster.ts';
import { scriptedRouter } from '../testing/scriptedRouter.ts';

const DEMO = '/apis/agenttier.io/v1alpha1/namespaces/team/sandboxes/demo';
const LOG = '/api/v1/namespaces/team/pods/slot-7/log';
const cluster = scriptedCluster();
const demo = (phase: string) => json({ metadata: { name: 'demo' }, status: { phase, podName: 'slot-7' } });

describe('logs', () => {
  it('prints the log of the pod that the status names', async () => {
    cluster.server.on('GET', DEMO, demo('Running'));
    cluster.server.on('GET', LOG, (response) => void response.end('a\u0000b\nc'));
    expect(await cluster.run('logs', 'demo', '--tail', '5', '--since', '2m', '-c', 'mem0')).toEqual({
      code: 0,
      out: 'a\u0000b\nc',
      err: '',
    });
    expect(Object.fromEntries(cluster.server.requestsTo(LOG)[0]?.query ?? [])).toEqual({
      container: 'mem0',
      tailLines: '5',
      sinceSeconds: '120',
    });
  });

  it('follows until it is interrupted', async () => {
    cluster.server.on('GET', DEMO, demo('Running'));
    cluster.server.on('GET', LOG, (response) => void response.write('one\n'));
    const host = cluster.host();
    const running = cluster.runOn(host, 'logs', '-f', 'demo');
    await until(() => host.streams.out.text === 'one\n', 'the first line');
    host.interrupt.abort();
    expect(await running).toMatchObject({ code: 130, err: '' });
  });

  it.each([
    ['Stopped', /^error: sandbox "demo" is Stopped and has no log; start it with/],
    ['Running', /^Error from server \(BadRequest\): no such container\n/],
  ])('says why there is none: %s', async (phase, err) => {
    cluster.server.on('GET', DEMO, demo(phase));
    cluster.server.on('GET', LOG, status(400, { reason: 'BadRequest', message: 'no such container' }));
    const outcome = await cluster.run('logs', 'demo');
    expect(outcome.code).toBe(1);
    expect(outcome.err).toMatch(err);
  });
});

describe('logs --install', () => {
  const router = scriptedRouter();
  const path = '/api/v1/sandboxes/demo/configure/install-log';

  it('prints what the installation of the agent has written, or its last lines', async () => {
    router.server.on('GET', path, json({ log: 'one\ntwo\nthree\n' }));
    expect(await router.run('logs', 'demo', '--install')).toEqual({
      code: 0,
      out: 'one\ntwo\nthree\n',
      err: '',
    });
    expect((await router.run('logs', 'demo', '--install', '--tail', '1')).out).toBe('three\n');
    expect(router.asked()[0]).toEqual(['GET /sandboxes/demo/configure/install-log?namespace=team&full=true']);
    expect((await router.run('logs', 'demo', '--install', '-f')).code).toBe(2);
  });
});
