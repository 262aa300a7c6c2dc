// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from 'vitest';
import { judge, judgeSocket } from './gate.ts';
import { linkPage, Links } from './links.ts';
import { asksForTicket, ticketIn, Tickets } from './tickets.ts';

const LOCK = { host: '127.0.0.1:4321', key: 'local-key' };
const ask = (url: string, headers: Record<string, string> = {}, method = 'GET') =>
  judge({ method, url, headers: { host: LOCK.host, ...headers } }, LOCK);
const KEY = { 'x-api-key': LOCK.key };

describe('who passes the proxy of the dashboard', () => {
  it('passes pages without rights, programs with the key only, and links', () => {
    expect(ask('/')).toEqual({ to: 'pages' });
    expect(ask('/assets/a.js', { 'sec-fetch-site': 'same-origin' })).toEqual({ to: 'pages' });
    expect(ask('/api/v1/sandboxes', KEY)).toEqual({ to: 'router' });
    expect(ask('/api/v1/sandboxes', { ...KEY, origin: 'http://127.0.0.1:4321' }, 'POST')).toEqual({
      to: 'router',
    });
    expect(ask('/.agenttier/open?token=t', { 'sec-fetch-site': 'cross-site' })).toEqual({
      to: 'link',
      token: 't',
    });
  });

  it.each([
    ['no key', '/api/v1/sandboxes', {}, 401],
    ['a wrong key', '/api/v1/sandboxes', { 'x-api-key': 'local-kez' }, 401],
    ['a token', '/mcp', { authorization: 'Bearer local-key' }, 401],
    ['a cookie', '/api/v1/user/me', { cookie: 'agenttier-api-key=local-key' }, 401],
    ['a name that was rebound', '/api/v1/sandboxes', { ...KEY, host: 'evil.example:4321' }, 421],
    ['another port', '/api/v1/sandboxes', { ...KEY, host: '127.0.0.1:8080' }, 421],
    ['another name of this machine', '/', { host: 'localhost:4321' }, 421],
    ['another origin', '/api/v1/sandboxes', { ...KEY, origin: 'http://127.0.0.1:8080' }, 403],
    ['an opaque origin', '/api/v1/sandboxes', { ...KEY, origin: 'null' }, 403],
    ['a page of another port', '/api/v1/sandboxes', { ...KEY, 'sec-fetch-site': 'same-site' }, 403],
    ['a page of another port that looks for files', '/assets/a.js', { 'sec-fetch-site': 'same-site' }, 403],
    ['a whole address', 'http://elsewhere/api/v1/sandboxes', KEY, 400],
    ['another authority', '//elsewhere/api/v1/sandboxes', KEY, 400],
    ['metrics', '/metrics', KEY, 404],
    ['a socket that is none', '/ws/terminal/x', KEY, 404],
  ])('refuses %s', (_what, url, headers, status) => {
    expect(ask(url, headers)).toMatchObject({ to: 'nowhere', status });
  });

  it('writes no pages', () => {
    expect(ask('/', KEY, 'POST')).toMatchObject({ to: 'nowhere', status: 404 });
  });

  it('lets sockets pass by a ticket of its own, from its own pages', () => {
    const socket = (headers: Record<string, string>, url = '/ws/terminal/x?ticket=t') =>
      judgeSocket({ method: 'GET', url, headers }, LOCK, (ticket) => ticket === 't');
    const own = { host: LOCK.host, origin: 'http://127.0.0.1:4321' };
    expect(socket(own)).toBe(true);
    expect(socket({ host: LOCK.host })).toBe(false);
    expect(socket({ ...own, origin: 'http://127.0.0.1:8080' })).toBe(false);
    expect(socket({ ...own, host: 'evil.example:4321' })).toBe(false);
    expect(socket(own, '/ws/terminal/x?ticket=u')).toBe(false);
    expect(socket(own, '/ws/terminal/x')).toBe(false);
    expect(socket(own, '/api/v1/sandboxes/x/preview/80?ticket=t')).toBe(false);
  });
});

describe('links and tickets', () => {
  it('open once; a second use takes the key back', () => {
    const links = new Links();
    const token = new URL(links.make(), 'http://x').searchParams.get('token') ?? '';
    const other = new URL(links.make(), 'http://x').searchParams.get('token') ?? '';
    const { key } = links;
    expect(links.use('guess')).toBe('unknown');
    expect([links.use(token), links.key]).toEqual(['first', key]);
    expect(links.use(token)).toBe('again');
    expect(links.key).not.toBe(key);
    expect(links.use(other)).toBe('unknown');
  });

  it('hand the key to a page that may do nothing else', () => {
    const { html, headers } = linkPage('key');
    expect(html).toContain("location.replace('/')");
    expect(headers['Content-Security-Policy']).toMatch(
      /^default-src 'none'; script-src 'sha256-[^']+'; frame-ancestors 'none'/,
    );
    expect(headers['Cache-Control']).toBe('no-store');
  });

  it('are known for a while', () => {
    let now = 0;
    const tickets = new Tickets(() => now);
    tickets.keep('t');
    expect([tickets.has('t'), tickets.has('u'), tickets.has('')]).toEqual([true, false, false]);
    now = 120_000;
    expect(tickets.has('t')).toBe(false);
    expect(asksForTicket('POST', '/api/v1/sandboxes/a/terminal-tickets?namespace=b')).toBe(true);
    expect(asksForTicket('GET', '/api/v1/sandboxes/a/terminal-tickets')).toBe(false);
    expect([ticketIn('{"ticket":"t"}'), ticketIn('{}'), ticketIn('no')]).toEqual(['t', undefined, undefined]);
  });
});
