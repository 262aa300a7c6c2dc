// SPDX-License-Identifier: Apache-2.0
import { beforeEach, describe, expect, it } from 'vitest';
import { barriers, show, until } from '../../testing/page.ts';
import { pageAt, terminalPath } from './routes.ts';
import './app.ts';

describe('pages', () => {
  it.each([
    ['/', 'sandboxes'],
    ['', 'sandboxes'],
    ['/callback', 'callback'],
    ['/cluster/metrics', 'section'],
    ['/keys', 'section'],
    ['/nothing', 'unknown'],
  ])('%s is %s', (path, name) => {
    expect(pageAt(path).name).toBe(name);
  });

  it('finds the sandbox of a terminal again, whatever its name', () => {
    expect(pageAt(terminalPath('team a', 'b/c'))).toEqual({
      name: 'terminal',
      namespace: 'team a',
      sandboxId: 'b/c',
    });
  });
});

describe('agenttier-app', () => {
  const real = globalThis.fetch;
  let keys: (string | null)[] = [];
  let isAdmin = false;

  beforeEach(() => {
    keys = [];
    isAdmin = false;
    sessionStorage.clear();
    history.replaceState(undefined, '', '/');
    globalThis.fetch = async (input, init) => {
      const path = new URL(input as string).pathname;
      if (!path.startsWith('/api/')) return real(input, init);
      const key = new Headers(init?.headers).get('X-API-Key');
      keys.push(key);
      if (path === '/api/v1/auth/config') return Response.json({ mode: 'keys' });
      if (key !== 'good') {
        const error = key === null ? 'missing_authorization' : 'invalid_api_key';
        return Response.json({ error, message: 'unknown key' }, { status: 401 });
      }
      if (path === '/api/v1/user/me') {
        return Response.json({ sub: 'ann', email: '', name: 'Ann', groups: [], isAdmin });
      }
      return path === '/api/v1/sandboxes'
        ? Response.json({ sandboxes: [] })
        : Response.json({ error: 'no' }, { status: 404 });
    };
    return () => {
      globalThis.fetch = real;
    };
  });

  const navigation = (app: Element): string[] =>
    [...(app.shadowRoot?.querySelectorAll('nav.sections a') ?? [])].map(
      (link) => link.textContent?.trim() ?? '',
    );

  it.each([
    [false, ['Activity', 'Warm pools', 'Headroom']],
    [true, ['Metrics', 'Capacity', 'Costs', 'Activity', 'Warm pools', 'Headroom']],
  ])('shows an administrator (%s) what is for administrators', async (admin, wanted) => {
    isAdmin = admin;
    sessionStorage.setItem('agenttier-api-key', 'good');
    history.replaceState(undefined, '', '/cluster/metrics');
    const app = await open();
    await until('the sections', () => navigation(app).length > 0);
    expect(navigation(app)).toEqual(wanted);
    const root = app.shadowRoot as ShadowRoot;
    expect(root.querySelector('agenttier-metrics') !== null).toBe(admin);
    if (!admin) expect(root.textContent).toContain('This page is for administrators');
    expect(await barriers(app)).toEqual([]);
  });

  const open = () => show(document.createElement('agenttier-app'));
  const login = (app: Element) => until('the login', () => app.shadowRoot?.querySelector('agenttier-login'));

  async function enter(app: Element, key: string): Promise<void> {
    const form = await until('the form', () => app.shadowRoot?.querySelector('agenttier-login')?.shadowRoot);
    const input = form.querySelector('input');
    if (input) {
      input.value = key;
      input.dispatchEvent(new Event('input'));
    }
    form.querySelector('form')?.requestSubmit();
  }

  it('asks who it is, says why a key is refused, and lets a good one in', async () => {
    const app = await open();
    const first = await login(app);
    expect(first.error).toBeUndefined();
    expect(await barriers(app)).toEqual([]);
    await enter(app, 'bad');
    await until('the refusal', () => first.shadowRoot?.textContent?.includes('unknown key'));
    await enter(app, 'good');
    await until('the list', () => app.shadowRoot?.querySelector('agenttier-sandbox-list'));
    expect(keys).toContain('good');
  });

  it('remembers a key over a reload and forgets it at the sign-out', async () => {
    sessionStorage.setItem('agenttier-api-key', 'good');
    const app = await open();
    const out = await until('the sign-out', () =>
      app.shadowRoot?.querySelector<HTMLButtonElement>('.who button'),
    );
    out.click();
    await login(app);
    expect(sessionStorage.length).toBe(0);
  });
});
