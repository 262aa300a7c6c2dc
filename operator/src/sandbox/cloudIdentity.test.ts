// SPDX-License-Identifier: Apache-2.0
import type { EffectiveSpec } from '@agenttier/crds/generated/types';
import { PODS, SERVICE_ACCOUNTS } from '@agenttier/machinery/kube/resource';
import { describe, expect, it } from 'vitest';
import { mayTakeSlot } from '../decision/warm.ts';
import { sandbox, SETTINGS } from '../testing/fixtures.ts';
import { READY_POD } from '../testing/pods.ts';
import { Scenario } from '../testing/scenario.ts';
import { buildPod } from './pod.ts';
import { buildServiceAccount, hasSurplusIdentity, serviceAccountMatches } from './serviceAccount.ts';

const owner = { namespace: 'team', name: 'one', uid: 'uid-one' };
const ROLE = 'arn:aws:iam::123456789012:role/sandbox';
const CLIENT = '00000000-1111-2222-3333-444444444444';
const both: EffectiveSpec = { identity: { awsRoleArn: ROLE, azureClientId: CLIENT } };

describe('an identity at a cloud', () => {
  it('is written on the account of the sandbox, and mounts no token of the cluster', () => {
    const account = buildServiceAccount(owner, both);
    expect(account.metadata.annotations).toEqual({
      'eks.amazonaws.com/role-arn': ROLE,
      'azure.workload.identity/client-id': CLIENT,
    });
    expect(account.automountServiceAccountToken).toBe(false);
    const spec = { ...both, image: { repository: 'r/a' } };
    const pod = buildPod({ owner, spec, settings: SETTINGS, pvcName: 'w', nonce: '1' });
    expect(pod.metadata.labels).toMatchObject({ 'azure.workload.identity/use': 'true' });
    expect(pod.spec).toMatchObject({ automountServiceAccountToken: false, serviceAccountName: 'sbx-one' });
  });

  it('is repaired when somebody writes another one, and annotations of others are left alone', () => {
    const desired = buildServiceAccount(owner, both);
    const annotations = { ...desired.metadata.annotations, mine: '1' };
    const live = { ...desired, metadata: { ...desired.metadata, annotations } };
    expect(serviceAccountMatches(live, desired)).toBe(true);
    const stolen = { ...annotations, 'eks.amazonaws.com/role-arn': 'arn:aws:iam::123456789012:role/admin' };
    expect(
      serviceAccountMatches({ ...live, metadata: { ...live.metadata, annotations: stolen } }, desired),
    ).toBe(false);
  });

  it('that is to go is surplus', () => {
    const plain = buildServiceAccount(owner, {});
    expect(hasSurplusIdentity(buildServiceAccount(owner, both), plain)).toBe(true);
    expect(hasSurplusIdentity(plain, buildServiceAccount(owner, both))).toBe(false);
    expect(plain.metadata).not.toHaveProperty('annotations');
  });
});

describe('a sandbox with an identity', () => {
  it('takes no prepared pod, which runs under the account of its pool', () => {
    const may = (spec: EffectiveSpec): boolean =>
      mayTakeSlot({ sandbox: sandbox(), resolution: { ok: true, spec } } as never);
    expect(may({})).toBe(true);
    expect(may(both)).toBe(false);
  });
});

describe('a role that somebody adds to the account by hand', () => {
  it('costs the account, which is made anew without it', async () => {
    const scenario = new Scenario();
    await scenario.start();
    const account = scenario.cluster.objects(SERVICE_ACCOUNTS)[0];
    if (account === undefined) throw new Error('no account');
    const annotations = { 'eks.amazonaws.com/role-arn': ROLE };
    scenario.cluster.put(SERVICE_ACCOUNTS, { ...account, metadata: { ...account.metadata, annotations } });
    await scenario.operator.settle();
    const [anew] = scenario.cluster.objects(SERVICE_ACCOUNTS);
    expect(anew?.metadata.uid).not.toBe(account.metadata.uid);
    expect(anew?.metadata.annotations?.['eks.amazonaws.com/role-arn']).toBeUndefined();
    expect(scenario.cluster.objects(PODS)[0]).toMatchObject({ status: READY_POD });
  });
});
