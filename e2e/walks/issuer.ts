// SPDX-License-Identifier: Apache-2.0
import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { connect, createServer } from 'node:net';
import type { AddressInfo, Server, Socket } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll } from 'vitest';
import { getJson, type Json } from './harness.ts';

const PROGRAM = join(import.meta.dirname, '../../router/src/testing/issuer/process.ts');
export const CLIENT = 'agenttier';

/** A port of this machine that leads to a router: browsers sign in only on pages that came by https or from the machine itself. */
export class Forward {
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();

  /** `target` is asked for with each connection. */
  constructor(target: () => string) {
    this.#server = createServer((near) => {
      const { hostname, port } = new URL(target());
      const far = connect(Number(port), hostname);
      for (const [from, to] of [
        [near, far],
        [far, near],
      ] as const) {
        this.#sockets.add(from);
        from.pipe(to);
        from.on('error', () => to.destroy());
        from.on('close', () => (this.#sockets.delete(from), to.destroy()));
      }
    });
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  async start(): Promise<void> {
    this.#server.listen(0, '127.0.0.1');
    await once(this.#server, 'listening');
  }

  close(): void {
    this.#server.close();
    for (const socket of this.#sockets) socket.destroy();
  }
}

export interface WalkIssuer {
  readonly settings: () => Readonly<Record<string, string>>;
  /** What its token endpoint was used for: `<grant> <client> <person>`. */
  readonly uses: () => readonly string[];
}

/** A certified issuer on the node's address, in a process of its own; people come from the pages at `pages`. */
export function walkIssuer(pages: () => string): WalkIssuer {
  let child: ChildProcess | undefined;
  let printed = '';
  beforeAll(async () => {
    const { items } = await getJson(['nodes']);
    const { address } = items[0].status.addresses.find((one: Json) => one.type === 'InternalIP');
    const args = [PROGRAM, String(await freePort(address)), CLIENT, address, pages()];
    child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'ignore'] });
    child.stdout?.on('data', (chunk: Buffer) => (printed += chunk.toString()));
    if (child.stdout) await once(child.stdout, 'data');
  });
  afterAll(() => child?.kill());
  const lines = (): string[] => printed.split('\n').filter((line) => line !== '');
  return {
    settings: () => ({
      OIDC_ISSUER_URL: lines()[0] ?? '',
      OIDC_CLIENT_ID: CLIENT,
      OIDC_ALLOW_HTTP: 'true',
    }),
    uses: () => lines().slice(1),
  };
}

async function freePort(host: string): Promise<number> {
  const server = createServer().listen(0, host);
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}
