// SPDX-License-Identifier: Apache-2.0
import type { Page } from 'playwright';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { screenText, signIn, walkBrowser } from './browser.ts';
import {
  apply,
  inSandbox,
  kubectl,
  minimalSandbox,
  ok,
  until,
  untilPhase,
  walkNamespace,
} from './harness.ts';
import { ownRouter } from './ownRouter.ts';

const POOL = 'walk-recovery';

const pool = `
apiVersion: agenttier.io/v1alpha1
kind: SandboxWarmPool
metadata: { name: ${POOL} }
spec: { templateRef: { kind: ClusterSandboxTemplate, name: minimal-shell }, replicas: 0 }
`;

describe('pages whose router is killed, and comes back', () => {
  const namespace = walkNamespace('walk-recovery');
  const router = ownRouter('recovery', { namespaces: [namespace] });
  const open = walkBrowser();
  const place = (): string => `/sandboxes/${namespace()}/kept`;

  beforeAll(async () => {
    await ok(apply(minimalSandbox('kept'), namespace()));
    await untilPhase('kept', namespace(), 'Running');
  }, 120_000);
  afterAll(() => ok(kubectl(['delete', 'sandboxwarmpool', POOL, '-n', namespace(), '--ignore-not-found'])));

  /** Signed in there, and marked: a page that is loaded anew has lost its mark. */
  async function pageAt(path: string): Promise<Page> {
    const { page } = await open({ router: router.url });
    await signIn(page, path);
    await page.getByRole('button', { name: 'Sign out' }).waitFor();
    await page.evaluate(() => Object.assign(globalThis, { mark: 'as before' }));
    return page;
  }

  /** That the server is away, for the whole page. */
  const note = (page: Page) => page.locator('agenttier-connection .note');
  const cardOf = (page: Page, name: string) =>
    page.locator('agenttier-sandbox-card', { hasText: namespace() }).filter({ hasText: name });

  it('are all as they were, with what has changed meanwhile, and without a reload', async () => {
    const [list, terminal, files, templates, pools, activity] = (await Promise.all(
      ['/', `${place()}/terminal`, place(), '/templates', '/cluster/pools', '/cluster/activity'].map(pageAt),
    )) as [Page, Page, Page, Page, Page, Page];
    const pages = [list, terminal, files, templates, pools, activity];
    await cardOf(list, 'kept').waitFor();
    await terminal.getByText('Connected').waitFor();
    await terminal.locator('agenttier-terminal').click();
    await terminal.keyboard.type('mine=still-there\n');
    await files.getByRole('tab', { name: 'Files' }).click();
    await templates.getByText('minimal-shell').first().click();
    await templates.locator('.cm-content').click();
    await templates.keyboard.press('Control+End');
    await templates.keyboard.type('# not stored yet');

    await router.away();
    await Promise.all(pages.map((page) => note(page).waitFor()));
    await ok(apply(minimalSandbox('new'), namespace()));
    await ok(apply(pool, namespace()));
    await ok(inSandbox('kept', namespace(), 'touch /workspace/made-meanwhile'));
    await router.back();

    await Promise.all(pages.map((page) => note(page).waitFor({ state: 'detached' })));
    await cardOf(list, 'new').waitFor();
    await pools.getByText(POOL).first().waitFor();
    await terminal.getByText('Connected').waitFor();
    await terminal.keyboard.type('echo it-is-$mine\n');
    await until('the same shell', async () => (await screenText(terminal)).includes('it-is-still-there'));
    await files.getByRole('button', { name: 'Refresh' }).click();
    await files.getByText('made-meanwhile').waitFor();
    expect(await templates.locator('.cm-content').textContent()).toContain('# not stored yet');
    await activity.getByText(namespace()).first().waitFor();
    const marks = pages.map((page) => page.evaluate(() => (globalThis as { mark?: string }).mark));
    expect(new Set(await Promise.all(marks))).toEqual(new Set(['as before']));
  }, 120_000);
});
