// SPDX-License-Identifier: Apache-2.0
import type { Enforcement } from '@agenttier/crds/egress/enforcement';
import type { EffectiveSpec } from '@agenttier/crds/generated/types';
import { KubeError } from '@agenttier/machinery/kube/errors';
import { describe, expect, it } from 'vitest';
import { createEnforcers } from './enforcement.ts';

const { signal } = new AbortController();
const LISTS = { network: { allowedDomains: ['packages.example'] } };
const SERVICE = 'agenttier-gateway';
const CRD = 'ciliumnetworkpolicies.cilium.io';

function scene(enforcement: Enforcement, existing: readonly string[], status = 404) {
  const asked: string[] = [];
  const there = new Set(existing);
  let time = 0;
  const client = {
    get: async (_resource: unknown, { name }: { name: string }) => {
      asked.push(name);
      if (!there.has(name)) throw new KubeError({ status, reason: 'NotFound', message: 'gone' });
      return { metadata: { name } };
    },
  };
  const options = { client: client as never, enforcement, namespace: 'agenttier', now: () => time };
  const enforcers = createEnforcers(options);
  const warn = (spec: EffectiveSpec): Promise<string[]> => enforcers.warn(spec, signal);
  return { asked, there, pass: (ms: number) => (time += ms), warn };
}

describe('the warning that nobody enforces names', () => {
  it.each<[Enforcement, readonly string[], RegExp | undefined]>([
    ['auto', [], /gateway is not installed .* no CiliumNetworkPolicy$/],
    ['auto', [SERVICE], undefined],
    ['auto', [CRD], undefined],
    ['gateway', [CRD], /gateway is not installed/],
    ['gateway', [SERVICE], undefined],
    ['cilium', [SERVICE], /egress.enforcement asks/],
    ['cilium', [CRD], undefined],
  ])('%s with %j', async (enforcement, existing, warning) => {
    const found = await scene(enforcement, existing).warn(LISTS);
    expect(found).toEqual(warning === undefined ? [] : [expect.stringMatching(warning)]);
  });

  it('asks nothing for a sandbox without names, or with everything open', async () => {
    const { warn, asked } = scene('auto', []);
    expect(await warn({})).toEqual([]);
    expect(await warn({ network: { ...LISTS.network, allowInternet: true } })).toEqual([]);
    expect(asked).toEqual([]);
  });

  it('asks once in a while for what is there, each time for what is missing', async () => {
    const { warn, asked, there, pass } = scene('gateway', [SERVICE]);
    await warn(LISTS);
    await warn(LISTS);
    expect(asked).toHaveLength(1);
    there.clear();
    pass(10_001);
    expect(await warn(LISTS)).toHaveLength(1);
    there.add(SERVICE);
    expect(await warn(LISTS)).toEqual([]);
  });

  it('says nothing where the API server cannot be asked', async () => {
    expect(await scene('auto', [], 503).warn(LISTS)).toEqual([]);
  });
});
