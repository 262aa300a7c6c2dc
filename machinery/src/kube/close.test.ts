// SPDX-License-Identifier: Apache-2.0
import { createServer, type AddressInfo, type Socket } from 'node:net';
import { expect, it } from 'vitest';
import { createKubeClient } from './client.ts';
import { PODS } from './resource.ts';

it('closes although a connection is still being made', async () => {
  const sockets: Socket[] = [];
  const silent = createServer((socket) => sockets.push(socket));
  await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve));
  const { port } = silent.address() as AddressInfo;
  const client = createKubeClient({
    server: `https://127.0.0.1:${port}`,
    insecureSkipTlsVerify: true,
    namespace: 'default',
  });
  const stop = new AbortController();
  const calls = Array.from({ length: 3 }, (_, index) =>
    client
      .get(PODS, { namespace: 'default', name: `p${index}` }, { signal: stop.signal })
      .catch(() => 'ended'),
  );
  await expect.poll(() => sockets.length).toBeGreaterThan(0);
  stop.abort();
  await client.close();
  expect(await Promise.all(calls)).toEqual(['ended', 'ended', 'ended']);
  for (const socket of sockets) socket.destroy();
  silent.close();
});
