// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from 'vitest';
import { barriers, dress, FakeServer, show, until } from '../../testing/page.ts';
import { countLines, phasesInOrder, slowest, startLines } from './lines.ts';
import './metrics.ts';

const spread = (count: number, p50_ms: number) => ({ count, p50_ms, p95_ms: p50_ms * 2, p99_ms: p50_ms * 4 });
const NONE = { ...spread(0, 0), phases: {} };
const warm = { ...spread(5, 200), phases: { bind: spread(5, 20), connect: spread(5, 150) } };

const usage = (change: object = {}) => ({
  total_sandboxes: 4,
  status_breakdown: { Running: 3, Error: 1 },
  template_breakdown: { _none: 1, shell: 3 },
  avg_startup_ms: 1250,
  startup_sample_count: 5,
  startup: { warm, cold: NONE, resume: NONE },
  ...change,
});

describe('lines of figures', () => {
  it('puts the largest count first, each as its part of all', () => {
    const lines = countLines({ Stopped: 1, Running: 3, odd: 1 }, (name) => name.toLowerCase());
    expect(lines.map(({ name, share, tone }) => [name, share, tone])).toEqual([
      ['running', 0.6, 'good'],
      ['stopped', 0.2, 'muted'],
      ['odd', 0.2, 'accent'],
    ]);
  });

  it('draws all paths by one scale, and the slowest phase first', () => {
    expect(slowest([])).toBe(0);
    expect(slowest([warm, { ...spread(1, 500), phases: {} }])).toBe(2000);
    expect(startLines(warm, 2000, 'en').map(({ figure, share }) => [figure, share])).toEqual([
      ['200 ms', 0.1],
      ['400 ms', 0.2],
      ['800 ms', 0.4],
    ]);
    expect(phasesInOrder(warm.phases)).toEqual(['connect', 'bind']);
  });
});

describe('agenttier-metrics', () => {
  async function pageOf(answer: () => unknown, status = 200) {
    const fake = new FakeServer().on('GET /analytics/usage', answer, status);
    const element = document.createElement('agenttier-metrics');
    element.server = fake.server;
    await show(element);
    return { fake, element, root: element.shadowRoot as ShadowRoot };
  }

  it.each(['light', 'dark'] as const)('shows counts and starts without barriers in %s', async (theme) => {
    const { element, root } = await pageOf(() => usage());
    dress(element, theme);
    await until('the figures', () => root.querySelector('.tile'));
    expect(root.textContent).toContain('1.3 s');
    expect(root.textContent).toContain('without a template');
    // Paths that nobody took are left out.
    expect(root.textContent).toContain('From a warm pool');
    expect(root.textContent).not.toContain('Resumed');
    expect(await barriers(element)).toEqual([]);
  });

  it('says what to expect where there is nothing to count', async () => {
    const { root } = await pageOf(() => usage({ total_sandboxes: 0 }));
    await until('the word', () => root.textContent?.includes('No sandboxes yet'));
  });

  it('says for whom it is, and keeps what was known when the server is away', async () => {
    const refused = await pageOf(
      () => ({ error: 'admin_required', message: 'You are no administrator.' }),
      403,
    );
    await until('the reason', () => refused.root.textContent?.includes('This page is for administrators'));
    expect(refused.root.querySelector('button')).toBeNull();

    let away = false;
    const { element, root } = await pageOf(() =>
      away ? Response.json({ error: 'gone', message: 'The router is away.' }, { status: 503 }) : usage(),
    );
    await until('the figures', () => root.querySelector('.tile'));
    away = true;
    await element.refresh();
    await until('the note', () => root.textContent?.includes('Shown is what was known last'));
    expect(root.querySelector('.tile')).not.toBeNull();
    away = false;
    await element.refresh();
    await until('no note', () => !root.textContent?.includes('Shown is what was known last'));
  });
});
