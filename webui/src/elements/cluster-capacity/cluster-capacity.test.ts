// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from 'vitest';
import { barriers, dress, FakeServer, show, until } from '../../testing/page.ts';
import './cluster-capacity.ts';

const GIB = 1024 ** 3;
const room = (cpu: number, memory: number) => ({
  allocatable: { cpuMillis: 4000, memBytes: 8 * GIB },
  requests: { cpuMillis: cpu, memBytes: memory * GIB },
});

const answer = {
  nodes: [
    { name: 'node-a', ready: true, instanceType: 'm7.large', nodeGroup: 'blue', ...room(1000, 4) },
    { name: 'node-b', ready: false, ...room(3800, 7) },
  ],
  summary: { ready: 1, total: 2, cpuSaturationPct: 60, memSaturationPct: 69, ...room(2400, 6) },
};

async function pageOf(value: unknown) {
  const element = document.createElement('agenttier-cluster-capacity');
  element.server = new FakeServer().on('GET /cluster/nodes', () => value).server;
  await show(element);
  return { element, root: element.shadowRoot as ShadowRoot };
}

describe('agenttier-cluster-capacity', () => {
  it.each(['light', 'dark'] as const)(
    'shows how full each node is, without barriers in %s',
    async (theme) => {
      const { element, root } = await pageOf(answer);
      dress(element, theme);
      const rows = await until('the nodes', () => {
        const found = root.querySelectorAll('tbody tr');
        return found.length === 2 && [...found];
      });
      expect(rows[0]?.textContent).toContain('1 of 4 cores');
      expect(rows[0]?.textContent).toContain('4 GiB of 8 GiB');
      expect(rows[1]?.textContent).toContain('not ready');
      const widths = [...root.querySelectorAll('td rect')].map((rect) => rect.getAttribute('width'));
      expect(widths).toEqual(['25', '50', '95', '87.5']);
      expect(rows[1]?.querySelector('svg.bad')).not.toBeNull();
      expect(await barriers(element)).toEqual([]);
    },
  );

  it('says so when there is no node', async () => {
    const { root } = await pageOf({ ...answer, nodes: [] });
    await until('the word', () => root.textContent?.includes('no node'));
  });
});
