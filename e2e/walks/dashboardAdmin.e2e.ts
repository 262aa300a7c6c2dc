// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from 'vitest';
import { signIn, walkBrowser } from './browser.ts';
import { walkNamespace } from './harness.ts';

describe('the pages for administrators', () => {
  const namespace = walkNamespace('walk-dashboard-admin');
  const open = walkBrowser();

  it('show the cluster, and hand out what they show as files', async () => {
    const { page, complaints } = await open();
    await signIn(page, '/cluster/metrics');
    await page.getByRole('heading', { name: 'Metrics' }).waitFor();
    await page.locator('agenttier-metrics').getByText('Sandboxes').first().waitFor();

    await page.getByRole('link', { name: 'Capacity' }).click();
    await page.locator('agenttier-cluster-capacity td', { hasText: 'cores' }).first().waitFor();

    await page.getByRole('link', { name: 'Costs' }).click();
    const [costs] = await Promise.all([
      page.waitForEvent('download'),
      page.getByRole('button', { name: 'Download CSV' }).click(),
    ]);
    expect(costs.suggestedFilename()).toBe('costs.csv');

    await page.getByRole('link', { name: 'Activity' }).click();
    await page.getByText('events shown').waitFor();
    const [events] = await Promise.all([
      page.waitForEvent('download'),
      page.getByRole('button', { name: 'Export NDJSON' }).click(),
    ]);
    expect(events.suggestedFilename()).toBe('audit.ndjson');

    await page.getByRole('link', { name: 'Warm pools' }).click();
    await page.getByRole('button', { name: 'Create pool' }).waitFor();
    await page.getByRole('link', { name: 'Headroom' }).click();
    await page.locator('agenttier-headroom').getByText('laceholders').first().waitFor();
    expect(complaints).toEqual([]);
  });

  it('have events posted, and end that', async () => {
    const { page } = await open();
    page.on('dialog', (dialog) => void dialog.accept());
    await signIn(page, '/webhooks');
    const hooks = page.locator('agenttier-webhooks');
    await hooks.getByLabel('Address').fill('https://hooks.example.com/walk');
    await hooks.getByLabel('Namespace').fill(namespace());
    await hooks.getByRole('button', { name: 'Create webhook' }).click();
    await hooks.getByText('Copy it now').waitFor();
    const row = hooks.getByRole('row', { name: new RegExp(namespace()) });
    await row.getByRole('button', { name: 'Deliveries' }).click();
    await hooks.getByText('Nothing has been posted yet.').waitFor();
    await row.getByRole('button', { name: 'Delete' }).click();
    await row.waitFor({ state: 'detached' });
  });
});
