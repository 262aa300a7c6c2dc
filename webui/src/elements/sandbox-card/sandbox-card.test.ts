// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from 'vitest';
import type { Phase } from '../../data/sandboxes.ts';
import { aSandbox, barriers, FakeServer, show, until } from '../../testing/page.ts';
import './sandbox-card.ts';

const cardOf = async (sandbox = aSandbox(), server = new FakeServer()) => {
  const card = document.createElement('agenttier-sandbox-card');
  card.server = server.server;
  card.sandbox = sandbox;
  return show(card);
};

const buttons = (card: Element): string[] =>
  [...(card.shadowRoot?.querySelectorAll('button') ?? [])].map((button) => button.textContent?.trim() ?? '');

describe('agenttier-sandbox-card', () => {
  const rows: [phase: Phase, offered: string[]][] = [
    ['Creating', ['Stop', 'Settings', 'Delete']],
    ['Running', ['Open terminal', 'Stop', 'Settings', 'Delete']],
    ['Stopped', ['Resume', 'Settings', 'Delete']],
    ['Error', ['Resume', 'Settings', 'Delete']],
    ['Deleting', []],
  ];
  it.each(rows)('offers for %s what can be done', async (status, offered) => {
    expect(buttons(await cardOf(aSandbox({ status })))).toEqual(offered);
  });

  it('stops it and tells the page', async () => {
    const server = new FakeServer().on('POST /sandboxes/box/stop', () => ({ status: 'stopping' }));
    const card = await cardOf(aSandbox(), server);
    const changed = new Promise((resolve) => card.addEventListener('agenttier-sandbox-changed', resolve));
    await card.stop();
    await changed;
    expect(server.asked.map(({ method, url }) => `${method} ${url.pathname}${url.search}`)).toEqual([
      'POST /api/v1/sandboxes/box/stop?namespace=team',
    ]);
  });

  it('does nothing that the page forbids', async () => {
    const server = new FakeServer();
    const card = await cardOf(aSandbox(), server);
    card.addEventListener('agenttier-sandbox-action', (event) => event.preventDefault());
    await card.stop();
    expect(server.asked).toEqual([]);
  });

  it('shows what the server says no with', async () => {
    const server = new FakeServer().on(
      'POST /sandboxes/box/stop',
      () => ({ error: 'sandbox box is Stopped' }),
      409,
    );
    const card = await cardOf(aSandbox(), server);
    await card.stop();
    const shown = await until('the message', () => card.shadowRoot?.querySelector('.message')?.textContent);
    expect(shown).toBe('sandbox box is Stopped');
  });

  it.each(['light', 'dark'] as const)('has no barriers in the %s theme', async (theme) => {
    const card = await cardOf(aSandbox({ status: 'Error', message: 'the image cannot be pulled' }));
    card.theme = theme;
    document.body.style.background = theme === 'dark' ? '#131418' : '#f7f7f9';
    await card.updateComplete;
    expect(await barriers(card)).toEqual([]);
  });
});
