// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from 'vitest';
import type { PolicySpec } from '../generated/types.ts';
import { effectivePolicy, NO_POLICY, type EffectivePolicy } from './effective.ts';

const cluster = <T>(value: T): { value: T; scope: 'cluster' } => ({ value, scope: 'cluster' });
const namespace = <T>(value: T): { value: T; scope: 'namespace' } => ({ value, scope: 'namespace' });

describe('effectivePolicy', () => {
  const cases: [string, PolicySpec | undefined, PolicySpec | undefined, Partial<EffectivePolicy>][] = [
    ['without policies there are no limits', undefined, undefined, {}],
    [
      'each scope alone counts',
      { maxCpu: '2' },
      { maxMemory: '1Gi' },
      { maxCpu: cluster('2'), maxMemory: namespace('1Gi') },
    ],
    [
      'a smaller amount of the namespace tightens',
      { maxCpu: 4 },
      { maxCpu: '500m' },
      { maxCpu: namespace('500m') },
    ],
    ['a larger one does not loosen', { maxCpu: '2' }, { maxCpu: 64 }, { maxCpu: cluster('2') }],
    [
      'equal amounts are the cluster',
      { maxStorage: '1Gi' },
      { maxStorage: '1024Mi' },
      { maxStorage: cluster('1Gi') },
    ],
    [
      'times are compared as times',
      { maxTimeout: '90m' },
      { maxTimeout: '1h' },
      { maxTimeout: namespace('1h') },
    ],
    [
      'zero and empty are no limit',
      { maxCpu: '0', maxTimeout: '0', approvedRegistries: [] },
      { requiredRuntimeClass: '' },
      {},
    ],
    [
      'zero of the namespace is not unlimited',
      { maxIdleTimeout: '1h' },
      { maxIdleTimeout: '0' },
      { maxIdleTimeout: cluster('1h') },
    ],
    [
      'both lists must be met',
      { approvedRegistries: ['ghcr.io'] },
      { approvedRegistries: ['ghcr.io/acme'] },
      { approvedRegistries: [cluster(['ghcr.io']), namespace(['ghcr.io/acme'])] },
    ],
    [
      'one no is a no',
      { allowInternet: true },
      { allowInternet: false },
      { allowInternet: namespace(false) },
    ],
    [
      'a yes does not overrule a no',
      { allowInternet: false },
      { allowInternet: true },
      { allowInternet: cluster(false) },
    ],
    [
      'a delegated amount is replaced, also by a larger one',
      { maxCpu: '2', delegated: ['maxCpu'] },
      { maxCpu: '64' },
      { maxCpu: namespace('64') },
    ],
    [
      'a delegated limit stays where the namespace is silent',
      { maxCpu: '2', delegated: ['maxCpu'] },
      {},
      { maxCpu: cluster('2') },
    ],
    ['or says zero', { maxCpu: '2', delegated: ['maxCpu'] }, { maxCpu: 0 }, { maxCpu: cluster('2') }],
    [
      'a delegated list is replaced',
      { allowedTemplates: ['a'], delegated: ['allowedTemplates'] },
      { allowedTemplates: ['b'] },
      { allowedTemplates: [namespace(['b'])] },
    ],
    [
      'a delegated no can be lifted',
      { allowInternet: false, delegated: ['allowInternet'] },
      { allowInternet: true },
      {},
    ],
    [
      'a demand of either holds',
      { requireDigest: false },
      { requireDigest: true, checkChain: true },
      { requireDigest: namespace(true), checkChain: namespace(true) },
    ],
    [
      'a delegated demand can be lifted',
      { requireDigest: true, delegated: ['requireDigest'] },
      { requireDigest: false },
      {},
    ],
    ['a permission is the cluster policy to give', undefined, { allowRelaxedSecurity: true }, {}],
    [
      'a permission holds everywhere',
      { allowRelaxedSecurity: true },
      undefined,
      { allowRelaxedSecurity: cluster(true) },
    ],
    ['a namespace can take it back', { allowRelaxedSecurity: true }, { allowRelaxedSecurity: false }, {}],
    [
      'or give it, where that is delegated',
      { delegated: ['allowRelaxedSecurity'] },
      { allowRelaxedSecurity: true },
      { allowRelaxedSecurity: namespace(true) },
    ],
    [
      'what is delegated does not loosen the rest',
      { maxCpu: '2', maxMemory: '1Gi', delegated: ['maxCpu'] },
      { maxCpu: '4', maxMemory: '2Gi' },
      { maxCpu: namespace('4'), maxMemory: cluster('1Gi') },
    ],
  ];

  it.each(cases)('%s', (_, outer, inner, expected) => {
    expect(effectivePolicy(outer, inner)).toEqual({ ...NO_POLICY, ...expected });
  });
});
