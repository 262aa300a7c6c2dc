// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from 'vitest';
import type { PolicySpec } from '../generated/types.ts';
import { effectivePolicy } from './effective.ts';
import { secretViolations, serviceAccountViolations } from './grants.ts';
import type { SecretFacts } from './grants.ts';

const NOTHING: SecretFacts = { reserved: false, offered: false, readable: false };

interface Case {
  readonly facts?: Partial<SecretFacts>;
  readonly cluster?: PolicySpec;
  readonly namespace?: PolicySpec;
  readonly name?: string;
}

function secret({ facts, cluster, namespace, name = 'llm' }: Case): string[] {
  const policy = effectivePolicy(cluster, namespace);
  return secretViolations({ credentials: [{ secretName: name }] }, policy, () => ({
    ...NOTHING,
    ...facts,
  })).map((v) => `${v.field} ${v.code}`);
}

const account = ({ cluster, namespace }: Case, offered: boolean | undefined): number =>
  serviceAccountViolations({ serviceAccount: 'llm' }, effectivePolicy(cluster, namespace), offered).length;

const REFUSED = ['spec.credentials[0].secretName secret_not_allowed'];

describe('a Secret', () => {
  it.each<[string, Case, string[]]>([
    ['of somebody else', {}, REFUSED],
    ['that the person may read', { facts: { readable: true } }, []],
    ['that its label offers', { facts: { offered: true } }, []],
    ['that the policy lists', { cluster: { allowedSecrets: ['llm'] } }, []],
    ['that the namespace lists', { namespace: { allowedSecrets: ['llm'] } }, []],
    [
      'that one policy lists and the other leaves out',
      { cluster: { allowedSecrets: ['llm'] }, namespace: { allowedSecrets: ['other'] } },
      REFUSED,
    ],
    [
      'that the namespace lists where that is delegated',
      {
        cluster: { allowedSecrets: ['x'], delegated: ['allowedSecrets'] },
        namespace: { allowedSecrets: ['llm'] },
      },
      [],
    ],
    ['of the platform', { facts: { reserved: true, offered: true, readable: true } }, REFUSED],
    ['of the platform by name', { facts: { readable: true }, name: 'other-runtime-token' }, REFUSED],
    ['of the platform, listed', { facts: { reserved: true }, cluster: { allowedSecrets: ['llm'] } }, REFUSED],
  ])('%s', (_what, row, expected) => {
    expect(secret(row)).toEqual(expected);
  });

  it("that was let in before is not asked about again, unless it is the platform's", () => {
    const policy = effectivePolicy();
    const spec = { credentials: [{ secretName: 'llm' }, { secretName: 'x-runtime-token' }] };
    expect(secretViolations(spec, policy, () => undefined).map((v) => v.actual)).toEqual(['x-runtime-token']);
  });
});

describe('a ServiceAccount', () => {
  it('is offered by its label, listed by the policy, or refused', () => {
    expect(account({}, false)).toBe(1);
    expect(account({}, true)).toBe(0);
    expect(account({}, undefined)).toBe(0);
    expect(account({ cluster: { allowedServiceAccounts: ['llm'] } }, false)).toBe(0);
    expect(account({ cluster: { allowedServiceAccounts: ['other'] } }, false)).toBe(1);
  });
});
