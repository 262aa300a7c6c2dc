// SPDX-License-Identifier: Apache-2.0
import { afterEach, describe, expect, it } from 'vitest';
import { EVENT_TYPES } from '../../data/webhooks.ts';
import { barriers, dress, FakeServer, show, until } from '../../testing/page.ts';
import './webhooks.ts';

const hook = {
  id: 'w1',
  url: 'https://hooks.example.com/in',
  eventTypes: ['sandbox.error'],
  createdAt: '2026-01-01T00:00:00Z',
  disabled: true,
  disabledReason: 'It has failed for a day.',
  scope: 'Own',
  sandboxId: 'box',
  namespace: 'team',
};

describe('agenttier-webhooks', () => {
  const { confirm } = globalThis;
  afterEach(() => void (globalThis.confirm = confirm));

  async function pageOf(webhooks: object[]) {
    const fake = new FakeServer()
      .on('GET /webhooks', () => ({ webhooks }))
      .on('GET /webhooks/w1/deliveries', () => ({
        deliveries: [
          {
            id: 'd2',
            eventType: 'sandbox.error',
            timestamp: hook.createdAt,
            attempt: 2,
            success: true,
            statusCode: 204,
          },
          {
            id: 'd1',
            eventType: 'sandbox.error',
            timestamp: hook.createdAt,
            attempt: 1,
            success: false,
            error: 'no answer',
          },
        ],
      }));
    const element = document.createElement('agenttier-webhooks');
    element.server = fake.server;
    await show(element);
    const root = element.shadowRoot as ShadowRoot;
    await until('the list', () => root.querySelector('table, .empty'));
    return { fake, element, root };
  }

  it.each(['light', 'dark'] as const)('shows how posts went, without barriers in %s', async (theme) => {
    const { element, fake, root } = await pageOf([hook]);
    dress(element, theme);
    expect(root.textContent).toContain('It has failed for a day.');
    root.querySelector<HTMLButtonElement>('[aria-expanded]')?.click();
    await until('the tries', () => root.textContent?.includes('no answer'));
    expect(fake.asked.at(-1)?.url.searchParams.get('namespace')).toBe('team');
    expect(await barriers(element)).toEqual([]);
    root.querySelector<HTMLButtonElement>('[aria-expanded=true]')?.click();
    await until('no tries', () => !root.textContent?.includes('no answer'));
  });

  it('shows the key of a new one once, and forgets it with the webhook', async () => {
    const webhooks: object[] = [];
    const { fake, root } = await pageOf(webhooks);
    fake
      .on('POST /webhooks', () => (webhooks.push(hook), { ...hook, secret: 'shown-once', warning: '' }), 201)
      .on('DELETE /webhooks/w1', () => (webhooks.pop(), new Response(undefined, { status: 204 })));
    const form = root.querySelector('form') as HTMLFormElement;
    (form.elements.namedItem('url') as HTMLInputElement).value = hook.url;
    (form.elements.namedItem('sandbox') as HTMLInputElement).value = 'box';
    form.requestSubmit();
    await until('the key', () => root.querySelector('code')?.textContent === 'shown-once');
    expect(fake.asked.find(({ method }) => method === 'POST')?.body).toEqual({
      url: hook.url,
      sandboxId: 'box',
      eventTypes: EVENT_TYPES,
    });
    globalThis.confirm = () => true;
    await until('the row', () => root.querySelector('td .danger'));
    root.querySelector<HTMLButtonElement>('td .danger')?.click();
    await until('the empty list', () => root.querySelector('.empty'));
    expect(root.querySelector('code')).toBeNull();
  });
});
