// SPDX-License-Identifier: Apache-2.0
import { json } from '@agenttier/machinery/testing/scriptedServer';
import { describe, expect, it } from 'vitest';
import { scriptedRouter } from '../testing/scriptedRouter.ts';

const PORTS = '/api/v1/sandboxes/demo/ports';
const router = scriptedRouter();

describe('ports', () => {
  it('lists, forwards and removes', async () => {
    const port = { port: 3000, protocol: 'http', previewUrl: 'https://p.example.com/' };
    router.server
      .on('GET', PORTS, json({ ports: [port] }))
      .on(
        'GET',
        `${PORTS}/listening`,
        json({ ports: [{ port: 22, addresses: ['127.0.0.1'], command: 'sshd' }] }),
      )
      .on('POST', PORTS, json(port, 201))
      .on('DELETE', `${PORTS}/3000`, (response) => void response.writeHead(204).end());
    expect((await router.run('ports', 'list', 'demo', '--no-headers')).out).toBe(
      '3000   http   https://p.example.com/\n',
    );
    expect((await router.run('ports', 'ls', 'demo', '--listening', '--no-headers')).out).toBe(
      '22   127.0.0.1   sshd\n',
    );
    expect((await router.run('ports', 'forward', 'demo', '3000')).out).toBe(
      'forwarded port 3000 -> https://p.example.com/\n',
    );
    expect(router.asked().at(-1)?.[1]).toEqual({ port: 3000, protocol: 'http' });
    expect((await router.run('ports', 'rm', 'demo', '3000')).out).toBe('removed forward for port 3000\n');
    expect((await router.run('ports', 'remove', 'demo', '70000')).code).toBe(2);
  });
});

describe('top', () => {
  it('shows what sandboxes use, as far as their kernels tell', async () => {
    router.server
      .on(
        'GET',
        '/api/v1/sandboxes/demo/stats',
        json({
          cpu: { usageUsec: 65_000_000 },
          memory: { workingSet: 1_572_864, limit: 2_147_483_648, oomKills: 0 },
          pids: { current: 4 },
          workspace: { used: 0, total: 1_073_741_824 },
        }),
      )
      .on('GET', '/api/v1/sandboxes/old/stats', json({ lastActivity: null }));
    expect((await router.run('top', 'demo', 'old')).out).toBe(
      [
        'NAME   CPU-TIME   MEMORY               PROCESSES   DISK',
        'demo   65s        1.5 MiB of 2.0 GiB   4           0 B of 1.0 GiB',
        'old    <none>     <none>               <none>      <none>',
        '',
      ].join('\n'),
    );
  });
});
