// SPDX-License-Identifier: Apache-2.0
import type { Sandbox, WebhookSubscription, WebhookSubscriptionSpec } from '@agenttier/crds/generated/types';
import { describe, expect, it } from 'vitest';
import { sandbox as build, T0 } from '../testing/fixtures.ts';
import { isActive, receiversOf } from '@agenttier/crds/subscription/matching';
import { noticeFields, noticesAfter } from '@agenttier/crds/subscription/notices';
import { newsOf } from './eventTypes.ts';
import { afterTry, freshStatus } from './record.ts';

const sandbox: Sandbox = {
  ...build({ spec: { createdBy: { sub: 'alice' } } }),
  metadata: { ...build().metadata, labels: { team: 'a' } },
};

const subscription = (
  spec: Partial<WebhookSubscriptionSpec> = {},
  more: Partial<WebhookSubscription> = {},
): WebhookSubscription => ({
  metadata: { name: 'hook', namespace: 'team', uid: 'sub-1', generation: 1 },
  spec: {
    url: 'https://hooks.example.com/',
    secretRef: { name: 'key' },
    scope: 'Own',
    createdBy: { sub: 'alice' },
    ...spec,
  },
  ...more,
});

describe('who hears of a sandbox', () => {
  it.each<[string, boolean, Partial<WebhookSubscriptionSpec>]>([
    ['its owner', true, {}],
    ['somebody else for whom it is not', false, { createdBy: { sub: 'bob' } }],
    ['nobody in particular', false, { createdBy: undefined as never }],
    ['the whole namespace', true, { scope: 'Namespace', createdBy: { sub: 'bob' } }],
    ['those who named the type', true, { eventTypes: ['sandbox.running'] }],
    ['those who named another type', false, { eventTypes: ['sandbox.error'] }],
    ['those who named it', true, { sandbox: 'one' }],
    ['those who named another', false, { sandbox: 'two' }],
    ['those with its label', true, { selector: { matchLabels: { team: 'a' } } }],
    ['those with another label', false, { selector: { matchLabels: { team: 'b' } } }],
    ['whoever is switched off', false, { disabled: true }],
  ])('%s: %s', (_who, expected, spec) => {
    expect(receiversOf('sandbox.running', sandbox, [subscription(spec)]).length === 1).toBe(expected);
  });

  it('in another namespace only the whole cluster', () => {
    const metadata = { name: 'hook', namespace: 'other', uid: 'sub-1' };
    const scopes = ['Own', 'Namespace', 'Cluster'] as const;
    const heard = scopes.map(
      (scope) => receiversOf('sandbox.running', sandbox, [subscription({ scope }, { metadata })]).length,
    );
    expect(heard).toEqual([0, 0, 1]);
  });
});

describe('the events in the status', () => {
  const note = (reason: string) => ({ type: 'Normal', reason, note: `it is ${reason}` }) as const;
  const fields = (before: Sandbox, reasons: readonly string[], subscriptions = [subscription()]) =>
    noticeFields(before, newsOf(reasons.map(note)), { subscriptions, now: T0 });

  it('are none, and cost nothing, when nobody has subscribed', () => {
    expect(fields(sandbox, ['Running'], [])).toEqual({});
    expect(fields(sandbox, ['RestartCountReset'])).toEqual({});
  });

  it('are numbered on, from the last one that was ever there', () => {
    const before: Sandbox = { ...sandbox, status: { phase: 'Stopped', noticeId: 7 } };
    const { noticeId, notices = [] } = fields(before, ['Resumed', 'Running']);
    expect(noticeId).toBe(9);
    expect(notices.map(({ id, type }) => [id, type])).toEqual([
      [8, 'sandbox.resumed'],
      [9, 'sandbox.running'],
    ]);
    expect(notices[0]).toMatchObject({
      reason: 'Resumed',
      subscriptions: ['sub-1'],
      message: 'it is Resumed',
    });
  });

  it('stay in order and within bounds, and leave once taken', () => {
    let current = sandbox;
    for (let i = 0; i < 20; i++)
      current = { ...current, status: { ...current.status, ...fields(current, ['Error']) } };
    const ids = current.status?.notices?.map(({ id }) => id) ?? [];
    expect([ids.length, ids[0], ids.at(-1)]).toEqual([16, 5, 20]);
    expect(noticesAfter(current, 19)?.map(({ id }) => id)).toEqual([20]);
    expect(noticesAfter(current, 20)).toBeUndefined();
  });
});

describe('the record of a subscription', () => {
  const delivery = (id: number) => ({
    id: `d-${id}`,
    event: 'sandbox.error',
    time: new Date(T0).toISOString(),
    sandbox: { namespace: 'team', name: 'one', uid: 'u' },
  });

  it('switches it off after fifteen events in a row that failed five times each', () => {
    let status = freshStatus(subscription());
    for (let event = 1; event <= 15; event++) {
      expect(status.state).toBe('Active');
      for (let attempt = 1; attempt <= 7; attempt++) {
        const result = { success: false, statusCode: 503 };
        status = afterTry(status, { delivery: delivery(event), attempt, result, now: T0 });
        if (status.state === 'Disabled') break;
      }
    }
    expect(status).toMatchObject({ state: 'Disabled', consecutiveFailures: 15 });
    expect(status.disabledReason).toContain('the last answer was 503');
    expect(status.deliveries?.length).toBe(20);
    const off = subscription({}, { status });
    expect(isActive(off)).toBe(false);
    const edited = { ...off, metadata: { ...off.metadata, generation: 2 } };
    expect(isActive(edited)).toBe(true);
    expect(freshStatus(edited)).toMatchObject({
      state: 'Active',
      consecutiveFailures: 0,
      observedGeneration: 2,
    });
    expect(freshStatus(edited)).not.toHaveProperty('disabledReason');
  });

  it('ends the row with one success', () => {
    let status = { ...freshStatus(subscription()), consecutiveFailures: 14 };
    status = {
      ...status,
      ...afterTry(status, {
        delivery: delivery(1),
        attempt: 2,
        result: { success: true, statusCode: 200 },
        now: T0,
      }),
    };
    expect(status.consecutiveFailures).toBe(0);
  });
});
