// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from 'vitest';
import { aSandbox, barriers, FakeServer, show, until } from '../../testing/page.ts';
import { select } from './selection.ts';
import './sandbox-list.ts';

const listOf = async (server: FakeServer) => {
  const list = document.createElement('agenttier-sandbox-list');
  list.server = server.server;
  return show(list);
};

const cards = (list: Element): string[] =>
  [...(list.shadowRoot?.querySelectorAll('agenttier-sandbox-card') ?? [])].map(
    ({ sandbox }) => sandbox?.name ?? '',
  );

describe('select', () => {
  const sandboxes = [
    aSandbox({ name: 'old', createdAt: '2026-01-01T00:00:00Z', status: 'Stopped' }),
    aSandbox({ name: 'new', createdAt: '2026-01-02T00:00:00Z', templateRef: 'python' }),
  ];
  const rows: [what: string, selection: Partial<Parameters<typeof select>[1]>, names: string[]][] = [
    ['newest first', {}, ['new', 'old']],
    ['by phase', { phase: 'Stopped' }, ['old']],
    ['by every word', { text: 'PYTHON new' }, ['new']],
    ['by namespace', { namespace: 'other' }, []],
  ];
  it.each(rows)('%s', (_what, selection, names) => {
    const whole = { text: '', phase: '' as const, namespace: '', ...selection };
    expect(select(sandboxes, whole).map(({ name }) => name)).toEqual(names);
  });
});

describe('agenttier-sandbox-list', () => {
  it('shows a card for each, over all pages of the answer', async () => {
    const server = new FakeServer().on('GET /sandboxes', (url) =>
      url.searchParams.get('continue') === 'two'
        ? { sandboxes: [aSandbox({ name: 'b', createdAt: '2026-01-01T00:00:00Z' })] }
        : { sandboxes: [aSandbox({ name: 'a', createdAt: '2026-01-02T00:00:00Z' })], continue: 'two' },
    );
    const list = await listOf(server);
    expect(await until('cards', () => (cards(list).length === 2 ? cards(list) : undefined))).toEqual([
      'a',
      'b',
    ]);
    expect(await barriers(list)).toEqual([]);
  });

  it('asks again when the server says that something has changed', async () => {
    let names = ['one'];
    let say: (text: string) => void = () => undefined;
    const stream = new ReadableStream<Uint8Array>({
      start: (control) => void (say = (text) => control.enqueue(new TextEncoder().encode(text))),
    });
    const server = new FakeServer()
      .on('GET /sandboxes', () => ({ sandboxes: names.map((name) => aSandbox({ name })) }))
      .on(
        'GET /events/stream',
        () => new Response(stream, { headers: { 'Content-Type': 'text/event-stream' } }),
      );
    const list = await listOf(server);
    await until('the first card', () => cards(list).includes('one'));
    names = ['one', 'two'];
    say('event: sandbox\nid: 7\ndata: {}\n\n');
    expect(await until('both', () => (cards(list).length === 2 ? cards(list) : undefined))).toEqual([
      'one',
      'two',
    ]);
  });

  it('says what to do when there is none, and when the server is away', async () => {
    const empty = await listOf(new FakeServer().on('GET /sandboxes', () => ({ sandboxes: [] })));
    await until('the empty state', () => empty.shadowRoot?.querySelector('.empty slot[name=empty]'));
    const away = await listOf(new FakeServer().on('GET /sandboxes', () => ({ error: 'busy' }), 503));
    const note = await until('the message', () => away.shadowRoot?.querySelector('[role=alert]'));
    expect(note.textContent).toContain('busy');
    expect(note.querySelector('button')?.textContent).toBe('Try again');
  });
});
