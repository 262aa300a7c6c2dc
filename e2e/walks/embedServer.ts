// SPDX-License-Identifier: Apache-2.0
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { extname, join, normalize } from 'node:path';
import { build } from 'vite';
import { policyOf } from '../embed/policy.ts';

const EMBED = join(import.meta.dirname, '../embed');

const TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
};

/** The server of somebody's pages, on an origin of its own: files, and tokens for who has signed in there. */
export class EmbedServer {
  /** What browsers reported of the policy. */
  readonly violations: string[] = [];
  /** Where the router is; known only once there is one that lets this origin in. */
  router = '';
  readonly #folder: string;
  readonly #token: () => Promise<string>;
  readonly #server: Server;

  private constructor(folder: string, token: () => Promise<string>) {
    this.#folder = folder;
    this.#token = token;
    this.#server = createServer((request, response) => {
      this.#answer(request, response).catch(() => response.writeHead(404).end());
    });
  }

  /** Builds the pages as their owners would, and serves them. */
  static async start(token: () => Promise<string>): Promise<EmbedServer> {
    const folder = await mkdtemp(join(tmpdir(), 'agenttier-embed-'));
    await build({
      configFile: join(EMBED, 'vite.config.ts'),
      logLevel: 'warn',
      build: { outDir: folder, emptyOutDir: true },
    });
    const server = new EmbedServer(folder, token);
    await new Promise<void>((resolve) => server.#server.listen(0, '127.0.0.1', resolve));
    return server;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
    await rm(this.#folder, { recursive: true });
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { pathname } = new URL(request.url ?? '/', this.url);
    if (pathname === '/token') return void response.end(await this.#token());
    if (pathname === '/violations') return this.#note(request, response);
    if (pathname === '/favicon.ico') return void response.writeHead(204).end();
    const path = normalize(pathname.endsWith('/') ? `${pathname}index.html` : pathname);
    const content = await readFile(join(this.#folder, path));
    const type = extname(path);
    response.setHeader('Content-Type', TYPES[type] ?? 'application/octet-stream');
    if (type !== '.html') return void response.end(content);
    response.setHeader('Content-Security-Policy', `${policyOf(this.router)}; report-uri /violations`);
    const page = content.toString().replace('<html ', `<html data-api-base="${this.router}/api/v1" `);
    response.end(page);
  }

  async #note(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const parts: Buffer[] = [];
    for await (const part of request) parts.push(part as Buffer);
    this.violations.push(Buffer.concat(parts).toString());
    response.writeHead(204).end();
  }
}
