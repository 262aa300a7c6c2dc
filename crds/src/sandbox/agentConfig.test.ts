// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from 'vitest';
import { actorDigest, agentConfigViolations, MAX_AGENT_FILE, MAX_AGENT_FILES } from './agentConfig.ts';
import type { AgentConfig } from './agentConfig.ts';

const sha256 = 'a'.repeat(64);
const file = (path: string, size = 1) => ({ path, size, sha256 });
const AGENT = { mode: 'agent', storage: { mountPath: '/workspace' } } as const;

const judge = (config: AgentConfig, effective = AGENT as object): string[] =>
  agentConfigViolations(config, effective).map(({ code, field }) => `${code} ${field}`);

describe('the configuration of an agent', () => {
  it.each<[string, AgentConfig]>([
    ['an entrypoint', { entrypoint: ['python', 'agent.py'] }],
    ['files', { files: [file('/workspace/a'), file('/workspace/deep/ü ☃.py', 0)] }],
    ['an install command', { installCommand: ['make'] }],
  ])('may be %s', (_what, config) => {
    expect(judge(config)).toEqual([]);
  });

  it.each<[string, AgentConfig, string]>([
    ['nothing', {}, 'invalid_value spec.agentConfig'],
    ['a hash alone', { hash: 'x' }, 'invalid_value spec.agentConfig'],
    ['a program without a name', { entrypoint: [''] }, 'invalid_value spec.agentConfig.entrypoint[0]'],
    ...['/etc/x', '/workspace', '/workspace/', '/workspace/../etc/x', '/workspace//x', '/workspace/./x']
      .concat([
        '/workspace2/x',
        "/workspace/it's",
        '/workspace/a\\b',
        '/workspace/a\nb',
        '/workspace/.agenttier/x',
      ])
      .map((path): [string, AgentConfig, string] => [
        JSON.stringify(path),
        { files: [file('/workspace/fine'), file(path)] },
        'invalid_value spec.agentConfig.files[1].path',
      ]),
    [
      'a file that is too large',
      { files: [file('/workspace/a', MAX_AGENT_FILE + 1)] },
      'agent_files_exceeded spec.agentConfig.files[0].size',
    ],
    [
      'too much in all',
      { files: Array.from({ length: 5 }, (_, i) => file(`/workspace/${i}`, MAX_AGENT_FILES / 5 + 1)) },
      'agent_files_exceeded spec.agentConfig.files',
    ],
  ])('may not be %s', (_what, config, expected) => {
    expect(judge(config)).toEqual([expected]);
  });

  it('is for agents only, and not judged by what nobody could merge', () => {
    expect(judge({ entrypoint: ['x'] }, { mode: 'code' })).toEqual(['invalid_value spec.agentConfig']);
    expect(agentConfigViolations({ entrypoint: ['x'] }, undefined)).toEqual([]);
    expect(agentConfigViolations(undefined, {})).toEqual([]);
  });

  it('follows the volume', () => {
    const effective = { mode: 'agent', storage: { mountPath: '/data' } };
    expect(judge({ files: [file('/data/a'), file('/workspace/a')] }, effective)).toEqual([
      'invalid_value spec.agentConfig.files[1].path',
    ]);
  });
});

it('the digest of a person tells two apart', () => {
  expect(actorDigest('ann')).toMatch(/^[0-9a-f]{16}$/);
  expect(actorDigest('ann')).not.toBe(actorDigest('bob'));
});
