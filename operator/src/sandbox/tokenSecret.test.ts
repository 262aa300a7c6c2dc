// SPDX-License-Identifier: Apache-2.0
import { ANNOTATION_TOKEN_NONCE } from '@agenttier/crds/meta/labels';
import { NETWORK_POLICIES, PODS, SECRETS } from '@agenttier/machinery/kube/resource';
import type { KubeObject } from '@agenttier/machinery/kube/resource';
import { beforeEach, describe, expect, it } from 'vitest';
import type { Secret } from '../core.ts';
import { refusal } from '../testing/cluster.ts';
import { converge } from '../testing/converge.ts';
import { MINUTE, SETTINGS, T0 } from '../testing/fixtures.ts';
import { FAILED_POD, READY_POD } from '../testing/pods.ts';
import { Replica } from '../testing/replica.ts';
import { Scenario } from '../testing/scenario.ts';
import { buildTokenSecret } from './tokenSecret.ts';

let s: Scenario;

beforeEach(() => {
  s = new Scenario();
});

const secret = (): Secret => s.cluster.objects<Secret>(SECRETS)[0] as Secret;
const nonceOf = (object: KubeObject | undefined): string | undefined =>
  object?.metadata.annotations?.[ANNOTATION_TOKEN_NONCE];

/** The runtime has the token that the router derives from the pod. */
function expectAgreement(): void {
  const nonce = nonceOf(s.cluster.pod());
  const owner = { namespace: 'team', name: 'one', uid: 'uid-one' };
  expect(secret()).toMatchObject(buildTokenSecret(owner, nonce ?? 'none', SETTINGS.tokenKey));
}

const nonce = (value: string): Record<string, string> => ({ [ANNOTATION_TOKEN_NONCE]: value });

function edit(change: Partial<Secret>): void {
  s.cluster.put(SECRETS, { ...secret(), ...change });
}

const writes = (verb: string, resource = 'secrets'): number =>
  s.cluster.calls.filter((call) => call.verb === verb && call.resource === resource).length;

async function stop(): Promise<void> {
  s.desire('Stopped');
  await s.operator.reconcile();
  s.cluster.endPod();
  await s.operator.reconcile();
}

it('holds the token that the router expects', () => {
  const owner = { namespace: 'team', name: 'one', uid: 'u1' };
  const { data } = buildTokenSecret(owner, '1', Buffer.alloc(32, 7));
  // HMAC-SHA256 of `u1/1`: the router's tests expect the same.
  expect(Buffer.from(data?.['token'] ?? '', 'base64').toString()).toBe(
    'KPF4Jss-K3w9TsxMcfAaObJa0PVehpOTxZrm2ZdWiBo',
  );
});

describe('the nonce', () => {
  it('is that of the start, on the Secret and on the pod', async () => {
    await s.start();
    expect(nonceOf(s.cluster.pod())).toBe(String(T0));
    expectAgreement();
  });

  it('is a new one after a resume', async () => {
    await s.start();
    await stop();
    s.advance(MINUTE);
    s.desire('Running');
    await s.operator.reconcile();
    expect(nonceOf(s.cluster.pod())).toBe(String(T0 + MINUTE));
    expectAgreement();
  });

  it('stays after a failure', async () => {
    await s.start();
    s.cluster.setPodStatus(FAILED_POD.oom);
    await converge(s, s.operator);
    expect(s.status().restartCount).toBe(1);
    expect(nonceOf(s.cluster.pod())).toBe(String(T0));
    expectAgreement();
  });

  it('is changed once by a resume whose pod is refused for a while', async () => {
    await s.start();
    await stop();
    s.advance(MINUTE);
    s.desire('Running');
    s.cluster.before = ({ verb, resource }) => {
      if (verb === 'create' && resource === 'pods') throw refusal(403, 'Forbidden', 'quota exceeded');
    };
    s.cluster.after = () => s.advance(1);
    for (let second = 0; second < 5; second++) {
      await s.operator.reconcile();
      expect(s.status()).toMatchObject({ phase: 'Creating', reason: 'Forbidden' });
      s.advance(1_000);
    }
    expect(writes('apply')).toBe(1);
    s.cluster.before = undefined;
    s.advance(MINUTE);
    await s.operator.reconcile();
    expect(nonceOf(s.cluster.pod())).toBe(String(T0 + MINUTE));
    expectAgreement();
  });

  it('is not changed while stopped', async () => {
    await s.start();
    await stop();
    s.advance(MINUTE);
    await s.operator.reconcile();
    expect(nonceOf(secret())).toBe(String(T0));
  });
});

describe('a Secret that somebody changed', () => {
  const other = Buffer.from('chosen').toString('base64');

  it.each<[string, () => Partial<Secret>]>([
    ['another token', () => ({ data: { token: other } })],
    ['no token', () => ({ data: {} })],
    ['another nonce', () => ({ metadata: { ...secret().metadata, annotations: nonce('forged') } })],
    ['no nonce', () => ({ metadata: { ...secret().metadata, annotations: {} } })],
    [
      'both',
      () => ({
        metadata: { ...secret().metadata, annotations: nonce('forged') },
        data: { token: other },
      }),
    ],
  ])('%s: it is repaired to what the pod says', async (_name, change) => {
    await s.start();
    s.advance(MINUTE);
    edit(change());
    await s.operator.reconcile();
    expect(nonceOf(s.cluster.pod())).toBe(String(T0));
    expectAgreement();
    expect(writes('apply')).toBe(1);
  });

  it('keeps no token that was not derived, also while stopped', async () => {
    await s.start();
    await stop();
    const { data } = secret();
    edit({ data: { token: other } });
    await s.operator.reconcile();
    expect(secret().data).toEqual(data);
  });

  it('a forged nonce does not survive a resume', async () => {
    await s.start();
    await stop();
    edit({ metadata: { ...secret().metadata, annotations: nonce('9999999999999') } });
    s.advance(MINUTE);
    s.desire('Running');
    await s.operator.reconcile();
    expect(nonceOf(s.cluster.pod())).toBe(String(T0 + MINUTE));
    expectAgreement();
  });
});

describe('two operators at once', () => {
  it.each(['start', 'resume'])('give one token at a %s', async (moment) => {
    if (moment === 'start') s.apply();
    else {
      await s.start();
      await stop();
      s.advance(MINUTE);
      s.desire('Running');
    }
    const second = new Replica(s.cluster, { settings: SETTINGS });
    // Each call takes time, so the two plan the same start at different moments.
    s.cluster.after = () => s.advance(1);
    await Promise.allSettled([s.operator.reconcile(), second.reconcile()]);
    s.cluster.setPodStatus(READY_POD);
    await s.operator.settle();
    await second.settle();
    expect(s.status().phase).toBe('Running');
    expect(s.cluster.objects(PODS)).toHaveLength(1);
    expectAgreement();
  });

  it('follow the Secret that was first, when neither saw the other', async () => {
    s.apply();
    const late = new Replica(s.cluster);
    late.deafen();
    s.cluster.before = ({ verb, resource }) => {
      if (verb === 'create' && resource === 'pods') throw refusal(503, 'ServiceUnavailable', 'busy');
    };
    await expect(s.operator.reconcile()).rejects.toThrow('busy');
    s.cluster.before = undefined;
    s.advance(MINUTE);
    // Its status is of an outdated Sandbox; the objects come first.
    await expect(late.reconcile()).rejects.toMatchObject({ status: 409 });
    expect(nonceOf(s.cluster.pod())).toBe(String(T0));
    expectAgreement();
  });

  it('repair only the version that they have seen', async () => {
    await s.start();
    await stop();
    s.advance(MINUTE);
    s.desire('Running');
    const late = new Replica(s.cluster);
    late.deafen();
    await s.operator.reconcile();
    const first = secret();
    s.advance(MINUTE);
    await expect(late.reconcile()).rejects.toMatchObject({ status: 409 });
    expect(secret()).toEqual(first);
    expect(s.cluster.objects(NETWORK_POLICIES)).toHaveLength(1);
    expectAgreement();
  });
});
