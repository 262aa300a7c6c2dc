// SPDX-License-Identifier: Apache-2.0
import { afterEach, describe, expect, it } from 'vitest';
import { barriers, dress, FakeServer, show, until } from '../../testing/page.ts';
import { boundsOf, toneOfPool } from './pool.ts';
import './warm-pools.ts';

const pool = (change: object = {}) => ({
  name: 'shells',
  namespace: 'team',
  template: 'shell',
  desiredCount: 2,
  readyCount: 1,
  pendingCount: 1,
  failedCount: 0,
  claimedTotal: 7,
  missTotal: 3,
  resourceVersion: '5',
  spec: { templateRef: { name: 'shell' }, replicas: 2, maxAge: '1h' },
  ...change,
});

describe('a pool', () => {
  it.each([
    [2, 2, 0, 'good'],
    [1, 2, 0, 'busy'],
    [1, 2, 1, 'bad'],
    [0, 0, 0, 'good'],
  ])('with %d of %d ready and %d failed is %s', (readyCount, desiredCount, failedCount, tone) => {
    expect(toneOfPool({ readyCount, desiredCount, failedCount })).toBe(tone);
  });

  it('has bounds where it follows demand', () => {
    expect(boundsOf({ spec: { replicas: 2 } })).toBeUndefined();
    expect(boundsOf({ spec: { autoscale: { min: 1, max: 9 } } })).toEqual({ min: 1, max: 9 });
  });
});

describe('agenttier-warm-pools', () => {
  const { confirm } = globalThis;
  afterEach(() => void (globalThis.confirm = confirm));

  async function pageOf(pools: object[], readonly = false) {
    const fake = new FakeServer()
      .on('GET /warmpools', () => ({ pools }))
      .on('GET /templates', () => ({ templates: [{ name: 'shell' }] }));
    const element = document.createElement('agenttier-warm-pools');
    element.server = fake.server;
    element.readonly = readonly;
    await show(element);
    const root = element.shadowRoot as ShadowRoot;
    await until('the pools', () => root.querySelector('table, .empty'));
    return { fake, element, root };
  }

  it.each(['light', 'dark'] as const)('shows how full pools are, without barriers in %s', async (theme) => {
    const { element, root } = await pageOf([pool({ message: 'cannot be pulled' })]);
    dress(element, theme);
    expect(root.querySelector('td.ready')?.textContent).toContain('1 / 2');
    expect(root.textContent).toContain('cannot be pulled');
    await until('templates to choose from', () => root.querySelector('option[value=shell]'));
    expect(await barriers(element)).toEqual([]);
  });

  it('changes a size and nothing else, and keeps what is typed while news come', async () => {
    const { fake, element, root } = await pageOf([pool()]);
    let written: unknown;
    // What is stored has changed since the list came: it is not undone.
    fake
      .on('GET /warmpools/shells', () =>
        pool({ resourceVersion: '9', spec: { templateRef: { name: 'shell' }, replicas: 2, maxAge: '2h' } }),
      )
      .on('PUT /warmpools/shells', (_url, body) => ((written = body), pool({ desiredCount: 4 })));
    const input = root.querySelector<HTMLInputElement>('.size input') as HTMLInputElement;
    input.value = '4';
    input.dispatchEvent(new Event('input'));
    await element.refresh();
    await element.updateComplete;
    expect(input.value).toBe('4');
    const changed = new Promise((resolve) =>
      element.addEventListener('agenttier-warm-pools-changed', resolve),
    );
    root.querySelector<HTMLFormElement>('.size form')?.requestSubmit();
    await changed;
    expect(written).toEqual({
      spec: { templateRef: { name: 'shell' }, replicas: 4, maxAge: '2h' },
      resourceVersion: '9',
    });
  });

  it('makes pools, deletes them, and says what admission objects to', async () => {
    const { fake, root } = await pageOf([pool()]);
    const violation = { code: 'x', field: 'spec.replicas', message: 'is 99, 20 at most' };
    fake.on('POST /warmpools', () =>
      Response.json({ error: 'invalid', violations: [violation] }, { status: 422 }),
    );
    const form = root.querySelector('form') as HTMLFormElement;
    for (const [name, value] of Object.entries({ name: 'more', template: 'shell', replicas: '99' })) {
      (form.elements.namedItem(name) as HTMLInputElement).value = value;
    }
    form.requestSubmit();
    await until('the objection', () => root.textContent?.includes('spec.replicas: is 99, 20 at most'));
    expect(fake.asked.find(({ method }) => method === 'POST')?.body).toEqual({
      name: 'more',
      spec: { templateRef: { name: 'shell' }, replicas: 99 },
    });
    globalThis.confirm = () => true;
    fake
      .on('DELETE /warmpools/shells', () => new Response(undefined, { status: 204 }))
      .on('GET /warmpools', () => ({ pools: [] }));
    root.querySelector<HTMLButtonElement>('.danger')?.click();
    await until('the empty list', () => root.textContent?.includes('No warm pools'));
  });

  it('offers nothing to change to those who may only look on', async () => {
    const { fake, root } = await pageOf([pool({ spec: { autoscale: { min: 1, max: 9 } } })], true);
    expect(root.querySelector('button, input')).toBeNull();
    expect(root.textContent).toContain('1–9, by demand');
    expect(fake.asked.map(({ url }) => url.pathname)).not.toContain('/api/v1/templates');
  });
});
