// SPDX-License-Identifier: Apache-2.0
import { TokenIssuer } from '@agenttier/machinery/testing/tokenIssuer';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { screenText, walkBrowser } from './browser.ts';
import { EmbedServer } from './embedServer.ts';
import { getJson, until, untilPhase, walkNamespace } from './harness.ts';
import type { Json } from './harness.ts';
import { ownRouter } from './ownRouter.ts';

const CLIENT = 'agenttier';
const namespace = walkNamespace('walk-embed');

let issuer: TokenIssuer;
let pages: EmbedServer;
const token = (): Promise<string> =>
  issuer.sign({ sub: 'ann', aud: CLIENT, email: 'ann@example.com', groups: ['dev'] });

beforeAll(async () => {
  const [node] = (await getJson(['nodes'])).items as Json[];
  const { address } = node.status.addresses.find((one: Json) => one.type === 'InternalIP');
  issuer = await TokenIssuer.start({ host: address });
  pages = await EmbedServer.start(token);
});
afterAll(async () => {
  await pages.close();
  await issuer.close();
});

const router = ownRouter('embed', {
  namespaces: [namespace],
  settings: () => ({
    OIDC_ISSUER_URL: issuer.url,
    OIDC_CLIENT_ID: CLIENT,
    OIDC_ALLOW_HTTP: 'true',
    OIDC_GROUP_NAMESPACES: JSON.stringify({ dev: [namespace()] }),
    CORS_ALLOWED_ORIGINS: pages.url,
  }),
});

beforeAll(async () => {
  pages.router = router.url;
  const body = { name: 'shown', namespace: namespace(), templateRef: { name: 'minimal-shell' } };
  await until('the issuer to be found and a sandbox to be made', async () => {
    const answer = await fetch(`${router.url}/api/v1/sandboxes`, {
      method: 'POST',
      headers: { Authorization: `Bearer ${await token()}` },
      body: JSON.stringify(body),
    });
    return answer.status === 201;
  });
  await untilPhase('shown', namespace(), 'Running');
});

describe('pages of others, on an origin of their own and with nothing unsafe in their policy,', () => {
  const open = walkBrowser();

  it.each(['plain', 'react', 'vue'])('show sandboxes, a terminal and a dialog: %s', async (kind) => {
    const { page, complaints } = await open();
    page.setDefaultTimeout(30_000);
    page.on('console', (message) => void (message.type() === 'error' && complaints.push(message.text())));
    await page.goto(`${pages.url}/${kind}/`);
    const card = page.locator('agenttier-sandbox-card', { hasText: 'shown' });
    await card.getByRole('button', { name: 'Open terminal' }).click();
    await page.getByText('The terminal is connected.').waitFor();
    await page.keyboard.type(`echo $((6 * 7))-for-${kind}\n`);
    await until('what was typed', async () => (await screenText(page)).includes(`42-for-${kind}`));

    await page.getByRole('button', { name: 'New sandbox' }).click();
    await page.locator('dialog input[name=name]').fill(`made-in-${kind}`);
    await page.locator('dialog select[name=template]').selectOption('minimal-shell');
    await page.locator('dialog input[name=namespace]').fill(namespace());
    await page.getByText('The policy allows this.').waitFor();
    // One more sandbox on the node is enough.
    if (kind === 'plain') {
      await page.locator('dialog').getByRole('button', { name: 'Create sandbox' }).click();
      await page.getByText('made-in-plain is being made.').waitFor();
      await page.locator('agenttier-sandbox-card', { hasText: 'made-in-plain' }).waitFor();
    }
    expect(complaints).toEqual([]);
    expect(pages.violations).toEqual([]);
    await page.context().close();
  });
});
