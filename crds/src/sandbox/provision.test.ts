// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from 'vitest';
import type { EffectiveSpec } from '../generated/types.ts';
import { needsProvision, provisionedFiles } from './provision.ts';
import { MAX_FILE_BYTES, provisionViolations, textSizeViolations } from './provisionChecks.ts';

const REF = { name: 'texts', key: 'a' };

describe('provisionedFiles', () => {
  it('knows files, the system prompt and the skills, each by its place', () => {
    const spec: EffectiveSpec = {
      storage: { mountPath: '/home/dev/' },
      files: [
        { path: 'a/./b.txt', content: 'x' },
        { path: '/home/dev//c', mode: 0o600, secretRef: REF },
        { path: '/opt/tool.conf', configMapRef: REF },
        { path: '/home/developer/x', content: '' },
      ],
      harness: {
        systemPrompt: { content: 'Be brief' },
        skills: [{ name: 'go', content: { configMapRef: REF } }],
      },
    };
    expect(provisionedFiles(spec).map(({ path, mode, owned }) => [path, mode, owned])).toEqual([
      ['a/b.txt', 0o644, false],
      ['c', 0o600, false],
      ['/opt/tool.conf', 0o644, false],
      ['/home/developer/x', 0o644, false],
      ['.agenttier/system-prompt.md', 0o644, true],
      ['.agenttier/skills/go.md', 0o644, true],
    ]);
    expect(provisionViolations(spec)).toEqual([]);
  });

  it('is needed only where there is something to bring', () => {
    expect(needsProvision({ harness: { systemPrompt: {}, hooks: { onStart: 'x' } }, files: [] })).toBe(false);
    expect(needsProvision({ initScripts: ['true'] })).toBe(true);
    expect(needsProvision({ harness: { skills: [{ name: 'go', content: { content: '' } }] } })).toBe(true);
  });
});

describe('provisionViolations', () => {
  it.each([
    ['', 'must name a file'],
    ['../x', 'must name a file'],
    ['/workspace/../etc/x', 'must name a file'],
    ['/', 'must name a file'],
    ['a\nb', 'must name a file'],
    ['/proc/self/mem', 'keeps its own files'],
    ['/agenttier/bin/x', 'keeps its own files'],
    ['/etc/passwd', 'keeps its own files'],
    ['/tmp/x', 'keeps its own files'],
    ['.agenttier/state/x', 'keeps for itself'],
    ['/workspace/.agenttier/x', 'keeps for itself'],
  ])('refuses %j', (path, text) => {
    const found = provisionViolations({ files: [{ path, content: 'x' }] });
    expect(found).toMatchObject([{ code: 'invalid_value', field: 'spec.files[0].path' }]);
    expect(found[0]?.message).toContain(text);
  });

  it('takes a file of /etc that nobody else keeps', () => {
    expect(provisionViolations({ files: [{ path: '/etc/pip.conf', content: 'x' }] })).toEqual([]);
  });

  it('wants each path once and each file with one source', () => {
    const files = [
      { path: 'a', content: 'x' },
      { path: '/workspace/a', content: 'y' },
      { path: 'b' },
      { path: 'c', content: 'x', secretRef: REF },
    ];
    expect(provisionViolations({ files }).map(({ field }) => field)).toEqual([
      'spec.files[1].path',
      'spec.files[2]',
      'spec.files[3]',
    ]);
  });

  it('wants skills that can be files', () => {
    const skills = [{ name: '../x', content: { content: 'x' } }];
    expect(provisionViolations({ harness: { skills } }).map(({ field }) => field)).toEqual([
      'spec.harness.skills[0].name',
    ]);
  });

  it('bounds one file, and all texts of a sandbox', () => {
    const at = (size: number): EffectiveSpec => ({ files: [{ path: 'a', content: 'x'.repeat(size) }] });
    expect(provisionViolations(at(MAX_FILE_BYTES))).toEqual([]);
    expect(provisionViolations(at(MAX_FILE_BYTES + 1))).toMatchObject([{ field: 'spec.files[0].content' }]);
    expect(textSizeViolations({}, at(MAX_FILE_BYTES))).toEqual([]);
    expect(textSizeViolations(at(700_000), at(700_000))).toMatchObject([{ field: 'spec.files' }]);
    expect(
      textSizeViolations({}, { initScripts: Array.from({ length: 30 }, () => '\n'.repeat(30_000)) }),
    ).toHaveLength(1);
  });
});
