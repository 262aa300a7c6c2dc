// SPDX-License-Identifier: Apache-2.0
import type { Sandbox } from '@agenttier/crds/generated/types';
import { describe, expect, it } from 'vitest';
import { configPatch } from './configuration.ts';
import { progressOf } from './progress.ts';

type Status = NonNullable<Sandbox['status']>;

const box = (
  status: Status = {},
  over: Partial<Sandbox['metadata']> = {},
  spec: Sandbox['spec'] = {},
): Sandbox => ({
  metadata: { name: 'box', namespace: 'team', uid: 'u', generation: 3, ...over },
  spec,
  status: { phase: 'Running', observedGeneration: 3, ...status },
});
const begun = { sandbox: box(), isSame: false };
const configured = (reason: string): Status => ({
  agentConfigure: { state: 'Pending' },
  conditions: [{ type: 'Configured', status: 'False', reason, message: 'why', lastTransitionTime: '' }],
});

describe('the progress of a configuration', () => {
  it.each<[string, Sandbox | undefined, object]>([
    ['deleted', undefined, { is: 'failed', error: { phase: 'install', message: 'the sandbox was deleted' } }],
    ['made anew', box({}, { uid: 'v' }), { is: 'failed' }],
    ['stopped', box({ phase: 'Stopped' }), { is: 'failed' }],
    [
      'of an earlier one',
      box({ observedGeneration: 2, agentConfigure: { state: 'Ready' } }),
      { is: 'waiting' },
    ],
    ['not begun', box(configured('Pending')), { is: 'waiting' }],
    ['begun', box({ agentConfigure: { state: 'Installing' } }), { is: 'installing' }],
    [
      'without its files',
      box(configured('FilesMissing')),
      { is: 'failed', error: { phase: 'files', message: 'why' } },
    ],
    ['out of reach', box(configured('RuntimeUnreachable')), { is: 'failed', error: { phase: 'install' } }],
    [
      'failed',
      box({ agentConfigure: { state: 'Failed', installExitCode: 7, skipped: true } }),
      { is: 'over', result: { installExitCode: 7, skipped: false } },
    ],
    [
      'done, when there is more to come',
      box({ observedGeneration: 5, agentConfigure: { state: 'Ready', entrypoint: ['a'] } }),
      { is: 'over', result: { installExitCode: 0, skipped: false, entrypoint: ['a'] } },
    ],
  ])('%s', (_, now, progress) => {
    expect(progressOf(begun, now)).toMatchObject(progress);
  });

  it('has nothing to do where all of it is in force', () => {
    const progress = progressOf({ ...begun, isSame: true }, box({ agentConfigure: { state: 'Ready' } }));
    expect(progress).toMatchObject({ result: { skipped: true } });
  });
});

describe('the patch of a configuration', () => {
  const installCommand = ['make'];
  const asked = { entrypoint: ['run'], installCommand, files: undefined };
  const patch = (status: Status, agentConfig: NonNullable<Sandbox['spec']>['agentConfig']) =>
    configPatch(asked, box(status, {}, agentConfig ? { agentConfig } : {}), 'n');

  it('takes out what is not asked for', () => {
    expect(patch({}, undefined)).toEqual({ entrypoint: ['run'], installCommand, files: null, hash: null });
  });

  it.each<[string, Status, NonNullable<NonNullable<Sandbox['spec']>['agentConfig']>, string | null]>([
    [
      'keeps the hash of the same that went well',
      { agentConfigure: { state: 'Ready' } },
      { installCommand, hash: 'retry-a' },
      'retry-a',
    ],
    [
      'keeps that of one under way',
      { agentConfigure: { state: 'Installing' } },
      { installCommand, hash: 'retry-a' },
      'retry-a',
    ],
    [
      'has another one for the same that failed',
      { agentConfigure: { state: 'Failed' } },
      { installCommand, hash: 'retry-a' },
      'retry-n',
    ],
    [
      'does not take an old failure for that of a new one',
      { observedGeneration: 2, agentConfigure: { state: 'Failed' } },
      { installCommand },
      null,
    ],
    [
      'has none for something else',
      { agentConfigure: { state: 'Failed' } },
      { installCommand: ['other'], hash: 'retry-a' },
      null,
    ],
  ])('%s', (_, status, config, hash) => {
    expect(patch(status, config)['hash']).toBe(hash);
  });
});
