// SPDX-License-Identifier: Apache-2.0
import type { ObjectMeta, SandboxSpec } from '@agenttier/crds/generated/types';
import { ANNOTATION_ACTION, ANNOTATION_RETRY } from '@agenttier/crds/meta/labels';
import { describe, expect, it } from 'vitest';
import { metadataChanged, resolveReason, userFieldsChanged } from './change.ts';
import type { SpecifiedSandbox } from './specified.ts';

const sandbox = (spec: SandboxSpec, metadata: ObjectMeta = {}): SpecifiedSandbox => ({
  metadata: { name: 'dev', namespace: 'team-a', ...metadata },
  spec,
});
const retry = (value: string): ObjectMeta => ({ annotations: { [ANNOTATION_RETRY]: value } });
const action = (value: string): ObjectMeta => ({ annotations: { [ANNOTATION_ACTION]: value } });
const leaving: ObjectMeta = { deletionTimestamp: '2026-11-24T00:00:00Z' };

describe('resolveReason', () => {
  it.each([
    ['a new sandbox', sandbox({}), undefined, 'create'],
    ['nothing changed', sandbox({ timeout: '1h' }), sandbox({ timeout: '1h' }), undefined],
    ['a field edited', sandbox({ timeout: '2h' }), sandbox({ timeout: '1h' }), 'edit'],
    ['a field removed', sandbox({}), sandbox({ timeout: '1h' }), 'edit'],
    ['stopped', sandbox({ desiredState: 'Stopped' }), sandbox({ desiredState: 'Running' }), undefined],
    ['resumed', sandbox({ desiredState: 'Running' }), sandbox({ desiredState: 'Stopped' }), 'resume'],
    [
      'resumed and edited',
      sandbox({ desiredState: 'Running', timeout: '2h' }),
      sandbox({ desiredState: 'Stopped' }),
      'resume',
    ],
    [
      'asked to try again',
      sandbox({ desiredState: 'Running' }, retry('2')),
      sandbox({ desiredState: 'Running' }, retry('1')),
      'resume',
    ],
    [
      'a retry while to be stopped',
      sandbox({ desiredState: 'Stopped' }, retry('2')),
      sandbox({ desiredState: 'Stopped' }),
      undefined,
    ],
    ['the retry annotation taken away', sandbox({}), sandbox({}, retry('1')), 'resume'],
    ['told to resume', sandbox({}, action('resume')), sandbox({}), 'resume'],
    ['told to resume already', sandbox({}, action('resume')), sandbox({}, action('resume')), undefined],
    ['told to stop', sandbox({}, action('stop')), sandbox({}), undefined],
    ['only labels changed', sandbox({}, { labels: { a: 'b' } }), sandbox({}), undefined],
    ['only what the webhook writes changed', sandbox({ resolved: { hash: 'x' } }), sandbox({}), undefined],
    [
      'edited while being deleted',
      sandbox({ timeout: '2h' }, leaving),
      sandbox({ timeout: '1h' }, leaving),
      undefined,
    ],
  ] as const)('%s', (_what, now, before, expected) => {
    expect(resolveReason(now, before)).toBe(expected);
  });
});

describe('userFieldsChanged', () => {
  it('does not mind the order of keys', () => {
    const a = sandbox({ image: { repository: 'x', tag: '1' } });
    const b = sandbox({ image: { tag: '1', repository: 'x' } });
    expect(userFieldsChanged(a, b)).toBe(false);
  });
});

describe('metadataChanged', () => {
  it('sees what people edit, not what the API server keeps', () => {
    const before = sandbox({}, { resourceVersion: '1', generation: 1, managedFields: [] });
    expect(metadataChanged(sandbox({}, { resourceVersion: '2', generation: 2 }), before)).toBe(false);
    expect(metadataChanged(sandbox({}, { finalizers: ['x'] }), before)).toBe(true);
  });
});
