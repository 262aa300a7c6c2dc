// SPDX-License-Identifier: Apache-2.0
import { readFileSync } from 'node:fs';
import { EVENT_TYPES } from '@agenttier/crds/subscription/eventTypes';
import { expect, it } from 'vitest';
import { SANDBOX_ACTIONS } from './audit.ts';
import { ACTS, BATCH_ACTS } from './auditStore/acts.ts';

const page = (name: string): string =>
  readFileSync(new URL(`../../docs/${name}.md`, import.meta.url), 'utf8');
const missingOf = (names: readonly string[], text: string): string[] =>
  names.filter((name) => !text.includes(`\`${name}\``));

it('every type of act is on the page about the audit store', () => {
  const acts = [...Object.values(ACTS), ...Object.values(BATCH_ACTS)].map(({ type }) => type);
  const others = [
    'ApiKeyCreated',
    'ApiKeyRevoked',
    'WebhookCreated',
    'WebhookDeleted',
    'BackupPruned',
    'SessionStarted',
    'SessionEnded',
  ];
  expect(missingOf([...SANDBOX_ACTIONS, ...acts, ...others], page('audit'))).toEqual([]);
});

it('every type of event is on the page about notifications', () => {
  expect(missingOf(EVENT_TYPES, page('notifications'))).toEqual([]);
});
