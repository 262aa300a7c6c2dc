// SPDX-License-Identifier: Apache-2.0
import { connect, createServer } from 'node:net';
import type { AddressInfo, Server, Socket } from 'node:net';

/** What a Service does: spreads connections over the ports behind it, and passes by those that refuse. */
export async function balance(ports: readonly number[]): Promise<{ port: number; close: () => void }> {
  let turn = 0;
  const open = new Set<Socket>();
  const forward = (client: Socket, left: number): void => {
    const port = ports[turn++ % ports.length] ?? 0;
    const backend = connect({ host: '127.0.0.1', port });
    backend.once('connect', () => {
      client.pipe(backend);
      backend.pipe(client);
      backend.on('close', () => client.destroy());
      client.on('close', () => backend.destroy());
    });
    backend.on('error', () => {
      backend.destroy();
      if (backend.connecting || left === 0) client.destroy();
      else if (client.bytesWritten === 0 && client.bytesRead === 0) forward(client, left - 1);
      else client.destroy();
    });
  };
  const server: Server = createServer({ pauseOnConnect: true }, (client) => {
    open.add(client);
    client.on('close', () => open.delete(client));
    client.on('error', () => client.destroy());
    forward(client, ports.length - 1);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const close = (): void => {
    server.close();
    for (const socket of open) socket.destroy();
  };
  return { port: (server.address() as AddressInfo).port, close };
}
