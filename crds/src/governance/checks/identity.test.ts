// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from 'vitest';
import type { EffectiveSpec, PolicySpec } from '../../generated/types.ts';
import { effectivePolicy } from '../effective.ts';
import { checkIdentity } from './identity.ts';

const ROLE = 'arn:aws:iam::123456789012:role/sandbox';
const CLIENT = '00000000-1111-2222-3333-444444444444';

const codes = (spec: EffectiveSpec, cluster?: PolicySpec, namespace?: PolicySpec): string[] =>
  checkIdentity({
    namespace: 'team',
    spec: {},
    resolved: { spec },
    policy: effectivePolicy(cluster, namespace),
  } as never).map(({ code, field }) => `${code} ${field}`);

const role = { identity: { awsRoleArn: ROLE } };
const listed = { allowedIdentities: [ROLE] };
const REFUSED = ['identity_not_allowed spec.identity.awsRoleArn'];

describe('an identity at a cloud', () => {
  it.each([
    ['nobody lists', undefined, undefined, REFUSED],
    ['the cluster lists', listed, undefined, []],
    ['only a namespace lists', undefined, listed, REFUSED],
    [
      'a namespace lists, to which it is delegated',
      { delegated: ['allowedIdentities'] as const },
      listed,
      [],
    ],
    ['the cluster lists and a namespace leaves out', listed, { allowedIdentities: ['other'] }, REFUSED],
    ['both list', listed, listed, []],
  ] as const)('that %s', (_, cluster, namespace, expected) => {
    expect(codes(role, cluster as PolicySpec | undefined, namespace as PolicySpec | undefined)).toEqual(
      expected,
    );
  });

  it('is judged value by value', () => {
    const both = { identity: { awsRoleArn: ROLE, azureClientId: CLIENT } };
    expect(codes(both, listed)).toEqual(['identity_not_allowed spec.identity.azureClientId']);
    expect(codes({ identity: { awsRoleArn: '' } })).toEqual([]);
    expect(codes({})).toEqual([]);
  });

  it('goes with no other ServiceAccount', () => {
    expect(codes({ ...role, serviceAccount: 'robot' }, listed)).toEqual(['invalid_value spec.identity']);
  });
});
