// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from 'vitest';
import { barriers, dress, FakeServer, show, until } from '../../testing/page.ts';
import './headroom.ts';

const headroom = { replicas: 3, cpu: '500m', memory: '1Gi', readyReplicas: 2, enabled: true };

async function pageOf(value: object, readonly = false) {
  const fake = new FakeServer().on('GET /cluster/headroom', () => value);
  const element = document.createElement('agenttier-headroom');
  element.server = fake.server;
  element.readonly = readonly;
  await show(element);
  const root = element.shadowRoot as ShadowRoot;
  await until('the state', () => root.querySelector('.panel, .empty'));
  return { fake, element, root };
}

describe('agenttier-headroom', () => {
  it.each(['light', 'dark'] as const)('shows what stands, without barriers in %s', async (theme) => {
    const { element, root } = await pageOf(headroom);
    dress(element, theme);
    expect(root.textContent).toContain('2 of 3');
    expect(await barriers(element)).toEqual([]);
  });

  it('changes number and size, and says why it cannot', async () => {
    const { fake, root } = await pageOf(headroom);
    const error = {
      error: 'invalid_fields',
      violations: [{ code: '', field: 'cpu', message: 'must be above 0' }],
    };
    fake.on('PUT /cluster/headroom', () => error, 400);
    const form = root.querySelector('form') as HTMLFormElement;
    (form.elements.namedItem('replicas') as HTMLInputElement).value = '5';
    form.requestSubmit();
    await until('the objection', () => root.textContent?.includes('cpu: must be above 0'));
    fake.on('PUT /cluster/headroom', (_url, body) => ({ ...headroom, ...(body as object) }));
    form.requestSubmit();
    await until('the word', () => root.textContent?.includes('Saved.'));
    expect(fake.asked.findLast(({ method }) => method === 'PUT')?.body).toEqual({
      replicas: 5,
      cpu: '500m',
      memory: '1Gi',
    });
  });

  it('tells how to get placeholders where there are none, and lets others only look', async () => {
    const { root } = await pageOf({ ...headroom, enabled: false });
    expect(root.textContent).toContain('headroom.replicas');
    const looking = await pageOf(headroom, true);
    expect(looking.root.querySelector('form')).toBeNull();
  });
});
