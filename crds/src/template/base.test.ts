// SPDX-License-Identifier: Apache-2.0
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { SandboxSpec, TemplateSpec } from '../generated/types.ts';
import type { TemplateObject } from './compose.ts';
import { resolve, resolveOver } from './merge.ts';

const name = fc.constantFrom('A', 'B', 'C', 'D');
const text = fc.constantFrom('', 'x', 'y', 'z');
const env = fc.uniqueArray(fc.record({ name, value: text }), { selector: (one) => one.name, maxLength: 4 });
const amounts = fc.dictionary(fc.constantFrom('cpu', 'memory', 'nvidia.com/gpu'), fc.constantFrom('1', '2'));
/** One field of each strategy, and those that clear each other; any of them may be absent or explicitly empty. */
const workload: fc.Arbitrary<SandboxSpec & TemplateSpec> = fc.record(
  {
    image: fc.record(
      { repository: fc.constantFrom('r.test/a', 'r.test/b'), tag: text, pullSecret: text },
      { requiredKeys: [] },
    ),
    resources: fc.record({ limits: amounts }, { requiredKeys: [] }),
    storage: fc.record({ size: fc.constantFrom('1Gi', '2Gi'), storageClass: text }, { requiredKeys: [] }),
    env,
    timeout: fc.constantFrom('0', '1h'),
    runtimeClass: text,
    harness: fc.record(
      { command: fc.array(text, { maxLength: 2 }), args: fc.array(text, { maxLength: 2 }) },
      { requiredKeys: [] },
    ),
    initScripts: fc.array(text, { maxLength: 2 }),
  },
  { requiredKeys: [] },
);

const template = (spec: TemplateSpec, i: number): TemplateObject => ({
  kind: 'ClusterSandboxTemplate',
  metadata: { name: `t${i}`, uid: `u${i}`, generation: 1 },
  spec,
});
const chains = fc.array(workload, { maxLength: 3 }).map((specs) => specs.map(template));

describe('a merge without the templates', () => {
  it('gives what the templates gave, for the spec of then and for every later one', () => {
    fc.assert(
      fc.property(chains, workload, workload, (chain, then, later) => {
        const kept = resolve(then, chain).resolved;
        expect(resolveOver(kept, then).resolved).toEqual(kept);
        expect(resolveOver(kept, later).resolved).toEqual(resolve(later, chain).resolved);
      }),
      { numRuns: 2_000 },
    );
  });

  it('keeps what is beneath through any number of edits', () => {
    fc.assert(
      fc.property(chains, fc.array(workload, { minLength: 1, maxLength: 4 }), (chain, edits) => {
        const last = edits.at(-1) ?? {};
        const start = resolve({}, chain).resolved;
        const end = edits.reduce((kept, spec) => resolveOver(kept, spec).resolved, start);
        expect(end).toEqual(resolve(last, chain).resolved);
      }),
    );
  });

  it('stores nothing beneath where the sandbox overrides nothing', () => {
    const chain = [template({ env: [{ name: 'A', value: 'x' }], timeout: '1h' }, 0)];
    expect(resolve({ env: [{ name: 'B' }] }, chain).resolved.beneath).toBeUndefined();
    expect(resolve({ timeout: '2h', env: [{ name: 'A' }] }, chain).resolved.beneath).toEqual([
      { path: 'env', key: 'A', origin: 'ClusterSandboxTemplate/t0', value: { name: 'A', value: 'x' } },
      { path: 'timeout', origin: 'ClusterSandboxTemplate/t0', value: '1h' },
    ]);
  });

  it('does not take a pull secret to a registry that it was not meant for', () => {
    const chain = [
      template({ image: { repository: 'ghcr.io/a', pullSecret: 'ghcr' } }, 0),
      template({ image: { repository: 'quay.io/b' } }, 1),
    ];
    const kept = resolve({}, chain).resolved;
    expect(JSON.stringify(kept)).not.toContain('"ghcr"');
    expect(resolveOver(kept, { timeout: '1h' }).resolved.spec?.image).toEqual({ repository: 'quay.io/b' });
  });
});
