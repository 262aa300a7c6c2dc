// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from 'vitest';
import type { EffectiveSpec } from '../generated/types.ts';
import { effectivePolicy } from '../governance/effective.ts';
import { readDefaults } from './defaults.ts';
import { resolve } from './merge.ts';

const OPEN = readDefaults({ DEFAULT_NETWORK: 'allow-internet' });

describe('an installation that opens the internet by default', () => {
  it.each<[string, EffectiveSpec['network'] | undefined, boolean]>([
    ['to a sandbox that says nothing', undefined, true],
    ['not to one that lists domains', { allowedDomains: ['packages.example'] }, false],
    ['not to one that has a rule', { egressRules: [{ cidr: '10.0.0.0/8' }] }, false],
    ['not to one that wants it closed', { allowInternet: false }, false],
    ['to one that asks for it', { allowInternet: true }, true],
  ])('%s', (_name, network, expected) => {
    const spec = network === undefined ? {} : { network };
    expect(resolve(spec, [], OPEN).resolved.spec?.network?.allowInternet).toBe(expected);
  });

  it('not under a policy that closes it', () => {
    const settings = { ...OPEN, effectivePolicy: effectivePolicy({ allowInternet: false }) };
    expect(resolve({}, [], settings).resolved.spec?.network?.allowInternet).toBe(false);
  });
});

it.each([undefined, '', 'deny-all'])('closes it otherwise: %s', (value) => {
  expect(readDefaults({ DEFAULT_NETWORK: value }).defaults?.network?.allowInternet).toBe(false);
});

it('takes no other word', () => {
  expect(() => readDefaults({ DEFAULT_NETWORK: 'open' })).toThrow('DEFAULT_NETWORK');
});
