// SPDX-License-Identifier: Apache-2.0
import { beforeEach, describe, expect, it, vi } from 'vitest';
import { aSandbox, barriers, FakeServer, show, until } from '../../testing/page.ts';
import { fitting, select } from './selection.ts';
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
    ['from A on', { sort: 'name', order: 'ascending' }, ['new', 'old']],
    ['to A', { sort: 'name', order: 'descending' }, ['old', 'new']],
    ['by template', { sort: 'template', order: 'descending' }, ['new', 'old']],
  ];
  it.each(rows)('%s', (_what, selection, names) => {
    const all = { text: '', phase: '', namespace: '', sort: 'created', order: 'descending' } as const;
    expect(select(sandboxes, { ...all, ...selection }).map(({ name }) => name)).toEqual(names);
  });

  it.each([
    ['stop', ['new']],
    ['resume', ['old']],
    ['delete', ['old', 'new']],
  ] as const)('%s fits', (action, names) => {
    expect(fitting(action, sandboxes).map(({ name }) => name)).toEqual(names);
  });
});

describe('agenttier-sandbox-list', () => {
  beforeEach(() => sessionStorage.clear());

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

  const many = (count: number) =>
    Array.from({ length: count }, (_, i) => aSandbox({ name: `box-${i}`, sandboxId: `box-${i}` }));

  const button = (list: Element, text: string) =>
    until(text, () =>
      [...(list.shadowRoot?.querySelectorAll('button') ?? [])].find(
        (one) => one.textContent?.trim() === text && !one.disabled,
      ),
    );

  it.each(['grid', 'table'] as const)('lays out what is in sight only, of 1,000 as %s', async (view) => {
    const list = await listOf(new FakeServer().on('GET /sandboxes', () => ({ sandboxes: many(1000) })));
    list.view = view;
    const selector = view === 'grid' ? '.grid > li > :first-child' : '.row.one [role=cell]:first-child';
    const all = () => [...(list.shadowRoot?.querySelectorAll(selector) ?? [])];
    await until('all of them', () => all().length === 1000);
    const laidOut = () => all().filter((one) => one.checkVisibility({ contentVisibilityAuto: true }));
    await until('those in sight', () => laidOut().length > 0 && laidOut().length < 150);
    all().at(-1)?.scrollIntoView();
    await until('the last one', () => all().at(-1)?.checkVisibility({ contentVisibilityAuto: true }));
    await until('few again', () => laidOut().length < 150);
  });

  it('draws of 1,000 cards those that come into sight, and says the names of all', async () => {
    const names = Array.from({ length: 1_000 }, (_, i) => `box-${String(i).padStart(4, '0')}`);
    const server = new FakeServer().on('GET /sandboxes', () => ({
      sandboxes: names.map((name) => aSandbox({ name, sandboxId: name })),
    }));
    const list = await listOf(server);
    Object.assign(list, { sort: 'name', order: 'ascending' });
    await until('the cards', () => list.shadowRoot?.querySelectorAll('.grid > li').length === 1_000);
    const nodes = (root: ParentNode): number =>
      [...root.querySelectorAll('*')].reduce(
        (count, one) => count + 1 + (one.shadowRoot ? nodes(one.shadowRoot) : 0),
        0,
      );
    expect(cards(list).length).toBeLessThan(150);
    expect(nodes(list.shadowRoot as ShadowRoot)).toBeLessThan(9_000);
    expect(list.shadowRoot?.textContent).toContain('box-0999');
    const last = list.shadowRoot?.querySelector('.grid > li:last-child');
    last?.scrollIntoView();
    const card = await until('the last card', () => last?.querySelector('agenttier-sandbox-card'));
    await until('its buttons', () => card.shadowRoot?.querySelector('button'));
    expect(cards(list).length).toBeLessThan(200);
  });

  it('draws of 1,000 rows those that come into sight, and takes down what nobody has seen for long', async () => {
    const list = await listOf(new FakeServer().on('GET /sandboxes', () => ({ sandboxes: many(1_000) })));
    Object.assign(list, { view: 'table', sort: 'name', order: 'ascending' });
    const rows = () => [...(list.shadowRoot?.querySelectorAll('.row.one') ?? [])];
    await until('all of them', () => rows().length === 1_000);
    const drawn = () => list.shadowRoot?.querySelectorAll('.row.one .name').length ?? 0;
    expect(drawn()).toBeLessThan(150);
    expect(list.shadowRoot?.textContent).toContain('box-999');
    for (let at = 50; at < 1_000; at += 50) {
      rows()[at]?.scrollIntoView();
      await until(`row ${at}`, () => rows()[at]?.querySelector('.name'));
    }
    expect(drawn()).toBeLessThan(400);
  });

  it('does one thing to many, each in its namespace, and tells how it went with each', async () => {
    const sandboxes = [
      aSandbox({ name: 'a', sandboxId: 'a' }),
      aSandbox({ name: 'b', sandboxId: 'b', namespace: 'other' }),
      aSandbox({ name: 'c', sandboxId: 'c', status: 'Stopped' }),
    ];
    const server = new FakeServer()
      .on('GET /sandboxes', () => ({ sandboxes }))
      .on('POST /sandboxes/bulk-action', (url) => ({
        results:
          url.searchParams.get('namespace') === 'team'
            ? [{ id: 'a', status: 'ok' }]
            : [{ id: 'b', status: 'error', error: 'b is not yours' }],
      }));
    const list = await listOf(server);
    const box = await until('the checkbox', () =>
      list.shadowRoot?.querySelector<HTMLInputElement>('label input'),
    );
    box.click();
    const told = new Promise((resolve) => list.addEventListener('agenttier-bulk-result', resolve));
    (await button(list, 'Stop 2')).click();
    await told;
    const bodies = server.asked.filter(({ method }) => method === 'POST').map(({ body }) => body);
    expect(bodies).toEqual([
      { action: 'stop', ids: ['a'] },
      { action: 'stop', ids: ['b'] },
    ]);
    const outcome = await until('the outcome', () => list.shadowRoot?.querySelector('.outcome'));
    const lines = [...outcome.querySelectorAll('li')].map((li) =>
      li.textContent?.replaceAll(/\s+/g, ' ').trim(),
    );
    expect(lines).toEqual(['a (team): accepted', 'b (other): b is not yours']);
    expect(await barriers(list)).toEqual([]);
    await button(list, 'Stop 1');
  });

  it('deletes nothing unless the person says so, and nothing that a filter hides', async () => {
    const server = new FakeServer()
      .on('GET /sandboxes', () => ({ sandboxes: many(2) }))
      .on('POST /sandboxes/bulk-action', () => ({ results: [{ id: 'box-1', status: 'ok' }] }));
    const list = await listOf(server);
    const box = await until('the checkbox', () =>
      list.shadowRoot?.querySelector<HTMLInputElement>('label input'),
    );
    box.click();
    await button(list, 'Delete 2');
    list.filter = 'box-1';
    const confirm = vi.spyOn(globalThis, 'confirm').mockReturnValueOnce(false).mockReturnValueOnce(true);
    (await button(list, 'Delete 1')).click();
    expect(server.asked.some(({ method }) => method === 'POST')).toBe(false);
    const told = new Promise((resolve) => list.addEventListener('agenttier-bulk-result', resolve));
    (await button(list, 'Delete 1')).click();
    await told;
    expect(confirm).toHaveBeenCalledTimes(2);
    confirm.mockRestore();
    expect(server.asked.find(({ method }) => method === 'POST')?.body).toEqual({
      action: 'delete',
      ids: ['box-1'],
    });
  });

  it.each(['light', 'dark'] as const)(
    'is a table that sorts by its heads, in the %s theme',
    async (theme) => {
      const server = new FakeServer()
        .on('GET /sandboxes', () => ({ sandboxes: many(3) }))
        .on('GET /user/me', () => ({ sub: 'bob', email: '', name: '', groups: [], isAdmin: false }));
      const list = await listOf(server);
      list.theme = theme;
      document.body.style.background = theme === 'dark' ? '#131418' : '#f7f7f9';
      (await button(list, 'Table')).click();
      const names = () =>
        [...(list.shadowRoot?.querySelectorAll('.name') ?? [])].map((one) => one.textContent?.trim());
      const head = await button(list, 'Name');
      head.click();
      await until('A first', () => names().join() === 'box-0,box-1,box-2');
      head.click();
      await until('A last', () => names().join() === 'box-2,box-1,box-0');
      expect(head.closest('[role=columnheader]')?.ariaSort).toBe('descending');
      await until('the mark', () => list.shadowRoot?.textContent?.includes('Shared with you'));
      expect(await barriers(list)).toEqual([]);
      expect(document.createElement('agenttier-sandbox-list').view).toBe('table');
    },
  );
});
