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
    ['/sandboxes/%E0%A4%A/box', 'unknown'],
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
  let preferences: object = {};

  beforeEach(() => {
    keys = [];
    isAdmin = false;
    preferences = {};
    sessionStorage.clear();
    localStorage.clear();
    history.replaceState(undefined, '', '/');
    globalThis.fetch = async (input, init) => {
      const path = new URL(input as string).pathname;
      return path.startsWith('/api/') ? answer(path.replace('/api/v1', ''), init) : real(input, init);
    };
    return () => {
      globalThis.fetch = real;
    };
  });

  function answer(path: string, init: RequestInit | undefined): Response {
    if (path === '/events/stream') return new Response(new ReadableStream());
    const key = new Headers(init?.headers).get('X-API-Key');
    keys.push(key);
    if (path === '/auth/config') return Response.json({ mode: 'keys' });
    if (key === 'good') return known(path, init?.body);
    const error = key === null ? 'missing_authorization' : 'invalid_api_key';
    return Response.json({ error, message: 'unknown key' }, { status: 401 });
  }

  function known(path: string, body: unknown): Response {
    if (path === '/user/preferences' && typeof body === 'string') preferences = JSON.parse(body) as object;
    const answers: Record<string, object> = {
      '/user/me': { sub: 'ann', email: '', name: 'Ann', groups: [], isAdmin },
      '/user/preferences': preferences,
      '/sandboxes': { sandboxes: [] },
    };
    return Response.json(answers[path] ?? { error: 'no' }, { status: path in answers ? 200 : 404 });
  }

  const navigation = (app: Element): string[] =>
    [...(app.shadowRoot?.querySelectorAll('nav.sections a') ?? [])].map(
      (link) => link.textContent?.trim() ?? '',
    );

  it.each([
    [false, ['Activity', 'Policies', 'Warm pools', 'Headroom']],
    [true, ['Metrics', 'Capacity', 'Costs', 'Activity', 'Policies', 'Warm pools', 'Headroom']],
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
      app.shadowRoot?.querySelector<HTMLButtonElement>('.who button.out'),
    );
    out.click();
    await login(app);
    expect(sessionStorage.length).toBe(0);
  });

  const entered = async () => {
    sessionStorage.setItem('agenttier-api-key', 'good');
    const app = await open();
    const root = await until('the page', () => app.shadowRoot?.querySelector('header') && app.shadowRoot);
    return { app, root };
  };

  it('calls the tab by the page, and moves the focus to its heading', async () => {
    const { app, root } = await entered();
    await until('the title', () => document.title === 'Sandboxes – AgentTier');
    app.navigate('/templates');
    await until('the focus', () => root.activeElement?.textContent === 'Templates');
    expect(root.activeElement?.tagName).toBe('H1');
    expect(document.title).toBe('Templates – AgentTier');
    app.navigate('/nothing/here');
    await until('the page that is not there', () => document.title === 'There is no such page. – AgentTier');
    expect(await barriers(app)).toEqual([]);
  });

  it('opens the palette by a key, goes where it says, and keeps the theme', async () => {
    const { app, root } = await entered();
    const palette = await until('the palette', () => root.querySelector('agenttier-command-palette'));
    await palette.updateComplete;
    const choose = async (text: string) => {
      const press = { key: 'k', ctrlKey: true, cancelable: true };
      const event = new KeyboardEvent('keydown', press);
      globalThis.dispatchEvent(event);
      expect(event.defaultPrevented).toBe(true);
      const input = await until('the field', () => palette.shadowRoot?.querySelector('input'));
      input.value = text;
      input.dispatchEvent(new Event('input'));
      await palette.updateComplete;
      input.dispatchEvent(new KeyboardEvent('keydown', { key: 'Enter', cancelable: true }));
      await palette.updateComplete;
    };
    await choose('templates');
    expect(location.pathname).toBe('/templates');
    await choose('theme dark');
    expect(app.theme).toBe('dark');
    await until('what is stored', () => 'theme' in preferences);
    expect(document.documentElement.style.colorScheme).toBe('dark');
    expect((await open()).theme).toBe('dark');
    document.documentElement.style.colorScheme = '';
  });

  it('wears the theme that the person has chosen elsewhere, and keeps a choice for elsewhere', async () => {
    preferences = { theme: 'dark', ofAnotherPage: 1 };
    const { app, root } = await entered();
    await until('the theme', () => app.theme === 'dark');
    const select = root.querySelector('select') as HTMLSelectElement;
    await until('the choice', () => select.value === 'dark');
    select.value = 'light';
    select.dispatchEvent(new Event('change'));
    await until('what is stored', () => JSON.stringify(preferences).includes('light'));
    expect(preferences).toEqual({ theme: 'light', ofAnotherPage: 1 });

    // The page that holds it has the say.
    const given = document.createElement('agenttier-app');
    given.setAttribute('theme', 'dark');
    await show(given);
    await until('the list', () => given.shadowRoot?.querySelector('agenttier-sandbox-list'));
    expect(given.theme).toBe('dark');
    document.documentElement.style.colorScheme = '';
  });

  it('lets a terminal have the focus, also when it comes back to it', async () => {
    const { app, root } = await entered();
    for (const path of [terminalPath('team', 'box'), '/templates', terminalPath('team', 'box')]) {
      app.navigate(path);
      const tag = path === '/templates' ? 'H1' : 'AGENTTIER-TERMINAL';
      await until(`the focus on ${tag}`, () => root.activeElement?.tagName === tag);
    }
    await new Promise((resolve) => setTimeout(resolve, 0));
    expect(root.activeElement?.tagName).toBe('AGENTTIER-TERMINAL');
  });

  it('creates from every page', async () => {
    const { app, root } = await entered();
    app.navigate('/templates');
    await until('the templates', () => root.querySelector('agenttier-templates'));
    const command = new CustomEvent('agenttier-command', { detail: { id: 'create' } });
    root.querySelector('agenttier-command-palette')?.dispatchEvent(command);
    const creator = await until('the form', () => root.querySelector('agenttier-create-sandbox'));
    await until('it to open', () => creator.shadowRoot?.querySelector('dialog')?.open);
  });

  it('leaves the key to a terminal that has the focus', async () => {
    const { root } = await entered();
    const terminal = document.createElement('agenttier-terminal');
    root.querySelector('main')?.append(terminal);
    const press = { key: 'k', ctrlKey: true, cancelable: true, bubbles: true, composed: true };
    const event = new KeyboardEvent('keydown', press);
    terminal.dispatchEvent(event);
    expect(event.defaultPrevented).toBe(false);
  });

  it('shows what went wrong where no panel does, and only there', async () => {
    const { root } = await entered();
    const list = await until('the list', () => root.querySelector('agenttier-sandbox-list'));
    const fail = (message: string) =>
      list.dispatchEvent(
        new CustomEvent('agenttier-error', {
          detail: { status: 409, code: '', message, violations: [] },
          bubbles: true,
          composed: true,
        }),
      );
    await until('its answer', () => list.shadowRoot?.querySelector('.empty'));
    list.shadowRoot?.append('shown by the list');
    fail('shown by the list');
    fail('shown by nobody');
    const region = () => root.querySelector('agenttier-notices')?.shadowRoot?.querySelector('[role=status]');
    await until('the notice', () => region()?.textContent?.includes('shown by nobody'));
    expect(region()?.textContent).not.toContain('shown by the list');
    region()?.querySelector('button')?.click();
    await until('an empty corner', () => region()?.querySelector('p') === null);
  });

  it('keeps the page when the sign-in ends, and goes on after the next', async () => {
    const { root } = await entered();
    const list = await until('the list', () => root.querySelector('agenttier-sandbox-list'));
    list.filter = 'half-typed';
    root
      .querySelector('agenttier-provider')
      ?.dispatchEvent(new CustomEvent('agenttier-auth-required', { bubbles: true, composed: true }));
    const dialog = await until('the dialog', () =>
      root.querySelector<HTMLDialogElement>('dialog.again[open]'),
    );
    const form = await until('the form', () => dialog.querySelector('agenttier-login')?.shadowRoot);
    expect(dialog.textContent).toContain('Your sign-in has ended');
    const before = keys.length;
    const input = form.querySelector('input');
    if (input) input.value = 'good';
    input?.dispatchEvent(new Event('input'));
    form.querySelector('form')?.requestSubmit();
    await until('the page again', () => !dialog.open);
    expect(root.querySelector('agenttier-sandbox-list')).toBe(list);
    expect(list.filter).toBe('half-typed');
    await until('the list being asked for again', () => keys.length >= before + 3);
  });
});
