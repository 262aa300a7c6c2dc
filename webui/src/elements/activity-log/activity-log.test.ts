// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from 'vitest';
import { barriers, dress, FakeServer, show, until } from '../../testing/page.ts';
import { filterOf } from './filter.ts';
import './activity-log.ts';

const event = (id: string) => ({
  id,
  timestamp: '2026-01-01T00:00:00Z',
  eventType: 'ExecRun',
  sandboxId: 'box',
  sandboxName: 'box',
  namespace: 'team',
  userEmail: 'ann@example.com',
  user: 'ann',
  outcome: 'denied',
  resource: 'Sandbox',
  name: `box-${id}`,
  sourceIp: '',
  details: { reason: 'not hers' },
});

async function pageOf(change: (element: HTMLElementTagNameMap['agenttier-activity-log']) => void = () => {}) {
  const fake = new FakeServer().on('GET /audit/events', ({ searchParams }) => {
    if (searchParams.get('user') === 'nobody') return { events: [] };
    return searchParams.get('continue') === 'p2'
      ? { events: [event('1')] }
      : { events: [event('3'), event('2')], continue: 'p2' };
  });
  const element = document.createElement('agenttier-activity-log');
  element.server = fake.server;
  change(element);
  await show(element);
  const root = element.shadowRoot as ShadowRoot;
  await until('the events', () => root.querySelectorAll('tbody tr').length === 2);
  const last = (): URLSearchParams | undefined => fake.asked.at(-1)?.url.searchParams;
  return { fake, element, root, last };
}

describe('what is looked for', () => {
  it('leaves out what is empty and puts local times in UTC', () => {
    const fields: Record<string, string> = { user: 'ann', from: '2026-01-31T12:00', to: 'soon' };
    const local = new Date(2026, 0, 31, 12).toISOString();
    expect(filterOf((name) => fields[name] ?? '')).toEqual({ user: 'ann', from: local });
  });
});

describe('agenttier-activity-log', () => {
  it.each(['light', 'dark'] as const)(
    'shows older events by the page, without barriers in %s',
    async (theme) => {
      const { element, root } = await pageOf((made) => dress(made, theme));
      expect(await barriers(element)).toEqual([]);
      root.querySelector<HTMLButtonElement>('.more')?.click();
      await until('the older one', () => root.querySelectorAll('tbody tr').length === 3);
      expect([...root.querySelectorAll('tbody td:nth-child(3)')].map((cell) => cell.textContent)).toEqual([
        'team/box-3 Sandbox',
        'team/box-2 Sandbox',
        'team/box-1 Sandbox',
      ]);
      expect(root.querySelector('.more')).toBeNull();
      // The first page anew: what came after the old one is no longer shown.
      await element.refresh();
      await until('the first page', () => root.querySelectorAll('tbody tr').length === 2);
    },
  );

  it('has the server filter, in lists and in exports', async () => {
    const { fake, element, root, last } = await pageOf();
    const field = root.querySelector<HTMLInputElement>('input[name=user]') as HTMLInputElement;
    field.value = ' nobody ';
    root.querySelector('form')?.requestSubmit();
    await until('no event', () => root.textContent?.includes('Nothing matches these filters.'));
    expect(last()?.get('user')).toBe('nobody');
    fake.on('GET /audit/export', () => Response.json({ message: 'Not now.' }, { status: 503 }));
    await element.export('csv');
    expect(Object.fromEntries(last() ?? [])).toEqual({ user: 'nobody', format: 'csv' });
    await until('the reason', () => root.querySelector('[role=alert]'));
    root.querySelector('form')?.reset();
    await until('all', () => root.querySelectorAll('tbody tr').length === 2);
    expect(last()?.has('user')).toBe(false);
  });

  it('can be about one sandbox', async () => {
    const { root, last } = await pageOf((made) => {
      made.sandboxId = 'box';
      made.namespace = 'team';
    });
    expect(Object.fromEntries(last() ?? [])).toMatchObject({ sandbox: 'box', namespace: 'team' });
    expect(root.querySelector('input[name=sandbox]')).toBeNull();
  });
});
