// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from 'vitest';
import { barriers, dress, FakeServer, show, until } from '../../testing/page.ts';
import './cost-estimator.ts';

const line = { hourly_cost: 0.0042, cost_to_date: 12.5, count: 2 };
const costs = {
  currency: 'EUR',
  rates: { cpu_hour: 0.04, memory_gib_hour: 0.005, storage_gib_month: 0.1 },
  running_sandboxes: 2,
  stopped_sandboxes: 1,
  total_hourly_compute: 0.084,
  total_hourly_storage: 0.001,
  total_estimated_monthly: 62.05,
  total_cost_to_date: 12.5,
  per_template: [{ template: 'shell', ...line }],
  per_user: [{ user: 'ann@example.com', ...line }],
  per_namespace: [{ namespace: 'team', ...line }],
};

async function pageOf(value: object) {
  const fake = new FakeServer()
    .on('GET /analytics/costs', () => value)
    .on('GET /analytics/costs.csv', () => new Response('sandbox\n'));
  const element = document.createElement('agenttier-cost-estimator');
  element.server = fake.server;
  await show(element);
  const root = element.shadowRoot as ShadowRoot;
  await until('the figures', () => root.querySelector('.tile'));
  return { fake, element, root };
}

describe('agenttier-cost-estimator', () => {
  it.each(['light', 'dark'] as const)(
    'shows costs by whom and by what, without barriers in %s',
    async (theme) => {
      const { element, root } = await pageOf(costs);
      dress(element, theme);
      await element.updateComplete;
      for (const text of ['€62.05', '€0.0042', 'shell', 'ann@example.com', 'team']) {
        expect(root.textContent).toContain(text);
      }
      expect(await barriers(element)).toEqual([]);
    },
  );

  it('says that nothing costs nothing', async () => {
    const { root } = await pageOf({ ...costs, running_sandboxes: 0, stopped_sandboxes: 0 });
    expect(root.textContent).toContain('nothing costs anything');
    expect(root.querySelector('table')).toBeNull();
  });

  it('tells why there is no download', async () => {
    const { fake, element, root } = await pageOf(costs);
    fake.on('GET /analytics/costs.csv', () => ({ error: 'no', message: 'Not now.' }), 503);
    const told = new Promise((resolve) => element.addEventListener('agenttier-error', resolve));
    root.querySelector('button')?.click();
    await told;
    await until('the reason', () => root.querySelector('[role=alert]')?.textContent?.includes('Not now.'));
  });
});
