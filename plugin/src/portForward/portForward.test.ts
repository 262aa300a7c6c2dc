// SPDX-License-Identifier: Apache-2.0
import { once } from 'node:events';
import type { IncomingMessage } from 'node:http';
import { connect, type Socket } from 'node:net';
import { buffer } from 'node:stream/consumers';
import { json, status } from '@agenttier/machinery/testing/scriptedServer';
import { until } from '@agenttier/machinery/testing/until';
import { describe, expect, it } from 'vitest';
import { type WebSocket, WebSocketServer } from 'ws';
import type { FakeHost, PluginRun } from '../testing/fakeHost.ts';
import { scriptedCluster } from '../testing/scriptedCluster.ts';

const DEMO = '/apis/agenttier.io/v1alpha1/namespaces/team/sandboxes/demo';
const cluster = scriptedCluster();

/** A kubelet: each connection begins with the port on both channels. */
function serve(handle: (socket: WebSocket, request: IncomingMessage) => void): void {
  cluster.server.on(
    'GET',
    DEMO,
    json({ metadata: { name: 'demo' }, status: { phase: 'Running', podName: 'slot-7' } }),
  );
  const sockets = new WebSocketServer({ noServer: true, handleProtocols: () => 'v4.channel.k8s.io' });
  cluster.server.server.on('upgrade', (request, socket, head) => {
    sockets.handleUpgrade(request, socket, head, (client) => {
      for (const channel of [0, 1]) client.send(Buffer.of(channel, 0x90, 0x1f));
      handle(client, request);
    });
  });
}

async function start(
  host: FakeHost,
  ...ports: string[]
): Promise<{ running: Promise<PluginRun>; port: number }> {
  const running = cluster.runOn(host, 'port-forward', 'demo', ...ports);
  await until(() => host.streams.out.text.includes('\n'), 'the listener');
  return { running, port: Number(/:(\d+) -> /.exec(host.streams.out.text)?.[1]) };
}

async function dial(port: number): Promise<Socket> {
  const socket = connect(port, '127.0.0.1');
  await once(socket, 'connect');
  return socket;
}

describe('port-forward', () => {
  it('hands bytes both ways, however many, and ends with the far side', async () => {
    const sent = Buffer.alloc(3_000_000, 'x');
    let got = 0;
    const paths: (string | undefined)[] = [];
    serve((far, request) => {
      paths.push(request.url);
      far.on('message', (data: Buffer) => {
        got += data.length - 1;
        if (got < sent.length) return;
        far.send(Buffer.concat([Buffer.of(0), Buffer.from('thanks')]));
        far.close(1000);
      });
    });
    const host = cluster.host();
    const { running, port } = await start(host, ':8080');
    const socket = await dial(port);
    socket.write(sent);
    expect((await buffer(socket)).toString()).toBe('thanks');
    expect(got).toBe(sent.length);
    expect(paths).toEqual(['/api/v1/namespaces/team/pods/slot-7/portforward?ports=8080']);
    host.interrupt.abort();
    expect(await running).toMatchObject({ code: 130, err: '' });
    await expect(dial(port)).rejects.toThrow('ECONNREFUSED');
  });

  it('tells why there is no connection, and goes on', async () => {
    serve((far) => far.send(Buffer.concat([Buffer.of(1), Buffer.from('connection refused')])));
    const host = cluster.host();
    const { running, port } = await start(host, ':8080');
    await buffer(await dial(port)).catch(() => undefined);
    await until(() => host.streams.err.text !== '', 'the reason');
    expect(host.streams.err.text).toBe('error: port 8080: connection refused\n');
    (await dial(port)).destroy();
    host.interrupt.abort();
    expect((await running).code).toBe(130);
  });

  it.each([
    ['0', 2, 'error: "0" is not PORT, LOCAL:REMOTE or :REMOTE, from 1 to 65535\n'],
    ['80:70000', 2, 'error: "80:70000" is not PORT, LOCAL:REMOTE or :REMOTE, from 1 to 65535\n'],
  ])('refuses %s', async (port, code, err) => {
    expect(await cluster.run('port-forward', 'demo', port)).toEqual({ code, out: '', err });
  });

  it('says what is the matter with the sandbox, and with the port of this machine', async () => {
    cluster.server.on(
      'GET',
      DEMO,
      status(404, { reason: 'NotFound', message: 'no demo' }),
      json({ metadata: {}, status: { phase: 'Running' } }),
    );
    expect((await cluster.run('port-forward', 'demo', '8080')).err).toBe(
      'Error from server (NotFound): no demo\n',
    );
    const taken = String(cluster.server.port);
    expect((await cluster.run('port-forward', 'demo', `${taken}:80`)).err).toMatch(
      /cannot be had: .*EADDRINUSE/,
    );
  });
});
