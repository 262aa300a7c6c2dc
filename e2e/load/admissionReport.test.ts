// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from 'vitest';
import { section, withSection } from './admissionReport.ts';
import { figure } from './stats.ts';

const report = {
  at: '2026-01-02T03:04:05Z',
  machine: { cpus: 2, loadBefore: 1.5, node: 'v24.0.0' },
  perSecond: 100,
  figures: [
    figure('create without webhooks, 10 sandboxes', [2, 3], 'm'),
    figure('create with webhooks, 10 sandboxes', [5, 7], 'm'),
    figure('handler mutate, 10 sandboxes', [1], 'm'),
  ],
};

describe('the report', () => {
  it('says what webhooks add, and where and how it was measured', () => {
    const text = section(report);
    expect(text).toContain('Node v24.0.0 on 2 CPUs, load average 1.5');
    expect(text).toContain('| 10 sandboxes | 3.00 ms | 4.00 ms |');
    expect(text).toContain('not measured');
    const burst = { creates: 500, cap: 1000, refused: 0, milliseconds: 900, ledgerWrites: 40 };
    expect(section({ ...report, burst })).toContain('40 ledger writes (one for 12.5 admissions), 0 refused');
  });

  it('replaces its own part of the document and nothing else', () => {
    const begin = '<!-- figures: written by make bench-admission -->';
    const document = `# Title\n${begin}\nold\n<!-- end of figures -->\nrest\n`;
    const once = withSection(document, 'new');
    expect(once).toBe(`# Title\n${begin}\n\nnew\n\n<!-- end of figures -->\nrest\n`);
    expect(withSection(once, 'new')).toBe(once);
    expect(() => withSection('# Title', 'new')).toThrow('needs the lines');
  });
});
