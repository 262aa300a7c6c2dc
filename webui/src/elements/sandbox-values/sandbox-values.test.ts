// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from 'vitest';
import { barriers, dress, FakeServer, show, until } from '../../testing/page.ts';
import './sandbox-values.ts';

async function valuesOf(change: { only?: string } = {}, policiesKnown = true) {
  const fake = new FakeServer().on('GET /sandboxes/box/explain', () => ({
    chain: ['ClusterSandboxTemplate/base', 'SandboxTemplate/team/shell'],
    policiesKnown,
    fields: [
      { field: 'network.allowInternet', value: false, origin: 'default', bounds: [] },
      { field: 'network.allowedDomains', value: ['a.example', 'b.example'], origin: 'Sandbox', bounds: [] },
      {
        field: 'timeout',
        value: '8h',
        origin: 'SandboxTemplate/team/shell',
        bounds: [{ policy: 'maxTimeout', scope: 'cluster', limit: '12h' }],
      },
    ],
  }));
  const element = document.createElement('agenttier-sandbox-values');
  Object.assign(element, { server: fake.server, sandboxId: 'box', namespace: 'team' }, change);
  await show(element);
  const root = element.shadowRoot as ShadowRoot;
  await until('the values', () => root.querySelector('tbody'));
  const rows = [...root.querySelectorAll('tbody tr')].map((row) =>
    [...row.children].map((cell) => cell.textContent?.replaceAll(/\s+/g, ' ').trim()),
  );
  return { element, root, rows };
}

describe('agenttier-sandbox-values', () => {
  it.each(['light', 'dark'] as const)('says who set each value and what bounds it, in %s', async (theme) => {
    const { element, root, rows } = await valuesOf();
    dress(element, theme);
    expect(root.textContent).toContain('Made from base → team/shell.');
    expect(rows).toEqual([
      ['network.allowInternet', 'false', 'the installation', ''],
      ['network.allowedDomains', 'a.example, b.example', 'this sandbox', ''],
      ['timeout', '8h', 'team/shell', '12hmaxTimeout (cluster)'],
    ]);
    expect(await barriers(element)).toEqual([]);
  });

  it('shows only a part, and says when bounds are not known', async () => {
    const { root, rows } = await valuesOf({ only: 'network' }, false);
    expect(rows.map(([field]) => field)).toEqual(['network.allowInternet', 'network.allowedDomains']);
    expect(root.textContent).toContain('The policies cannot be read now');
  });
});
