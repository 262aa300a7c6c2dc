// SPDX-License-Identifier: Apache-2.0
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { once } from 'node:events';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import express from 'express';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { contentSecurityPolicy, pages } from './pages.ts';

const folder = mkdtempSync(join(tmpdir(), 'agenttier-pages-'));
let server: Server;
let origin = '';

beforeAll(async () => {
  mkdirSync(join(folder, 'assets'));
  writeFileSync(join(folder, 'index.html'), '<title>home</title>');
  writeFileSync(join(folder, 'assets/main-abc.js'), 'export {};');
  const app = express();
  app.use(pages({ folder, frameAncestors: [] }));
  app.use((_request, response) => void response.status(404).json({ error: 'no such route' }));
  server = app.listen(0, '127.0.0.1');
  await once(server, 'listening');
  origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});

afterAll(() => {
  server.close();
  rmSync(folder, { recursive: true });
});

const get = (path: string, accept = 'text/html'): Promise<Response> =>
  fetch(`${origin}${path}`, { headers: { Accept: accept } });

describe('pages', () => {
  it.each(['/', '/sandboxes/team/box/terminal'])(
    'answers %s with the dashboard, asked for anew each time',
    async (path) => {
      const answer = await get(path);
      expect(await answer.text()).toBe('<title>home</title>');
      expect(answer.headers.get('Cache-Control')).toBe('no-cache');
      expect(answer.headers.get('Content-Security-Policy')).toContain("script-src 'self'");
    },
  );

  it('keeps for good what changes its name with its content', async () => {
    const answer = await get('/assets/main-abc.js', '*/*');
    expect(answer.headers.get('Content-Type')).toContain('javascript');
    expect(answer.headers.get('Cache-Control')).toContain('immutable');
  });

  it.each([
    ['/assets/gone.js', '*/*'],
    ['/api/v1/nothing', 'text/html'],
    ['/ws/terminal', 'text/html'],
    ['/picture.png', 'image/png'],
    ['/%2e%2e/package.json', 'application/json'],
  ])('leaves %s to others', async (path, accept) => {
    expect((await get(path, accept)).status).toBe(404);
  });
});

describe('contentSecurityPolicy', () => {
  it('lets nothing be evaluated and no script be inline', () => {
    const policy = contentSecurityPolicy({ frameAncestors: [] });
    const scripts = /script-src ([^;]*)/.exec(policy)?.[1];
    expect(scripts).toBe("'self'");
    expect(policy).toContain("frame-ancestors 'none'");
  });

  it('names the issuer and the pages that may frame it', () => {
    const policy = contentSecurityPolicy({
      issuerOrigin: 'https://id.example',
      frameAncestors: ['https://portal.example'],
    });
    expect(policy).toContain("connect-src 'self' https://id.example;");
    expect(policy).toContain('frame-ancestors https://portal.example;');
  });
});
