// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from 'vitest';
import { signIn, walkBrowser } from './browser.ts';
import { apply, getJson, kubectl, minimalSandbox, ok, untilPhase, walkNamespace } from './harness.ts';

describe('the dashboard', () => {
  const namespace = walkNamespace('walk-dashboard');
  const open = walkBrowser();

  it('shows each objection of the policy at its field', async () => {
    const { page } = await open();
    await signIn(page);
    await page.getByRole('button', { name: 'Create sandbox' }).first().click();
    await page.locator('dialog input[name=name]').fill('greedy');
    await page.locator('dialog select[name=template]').selectOption('minimal-shell');
    await page.locator('dialog input[name=namespace]').fill('demo');
    await page.getByText('Limits and network').click();
    await page.locator('dialog input[name=cpu]').fill('64');
    await page.locator('dialog input[name=storage]').fill('2Ti');
    await page.locator('#cpu-problem', { hasText: '2 at most' }).waitFor();
    await page.locator('#storage-problem', { hasText: '5Gi at most' }).waitFor();
  });

  it('is told by the server of what others do', async () => {
    const { page, complaints } = await open({ theme: 'dark', width: 360 });
    await signIn(page);
    await page.getByRole('heading', { name: 'Sandboxes' }).waitFor();
    await ok(apply(minimalSandbox('elsewhere'), namespace()));
    const card = page.locator('agenttier-sandbox-card', { hasText: namespace() });
    await card.locator('agenttier-status-badge[phase=Running]').waitFor({ timeout: 60_000 });
    await untilPhase('elsewhere', namespace(), 'Running');
    await ok(kubectl(['delete', 'sandbox', 'elsewhere', '-n', namespace(), '--timeout=60s']));
    await card.waitFor({ state: 'detached' });
    expect((await getJson(['sandboxes', '-n', namespace()])).items).toEqual([]);
    expect(complaints).toEqual([]);
  });
});
