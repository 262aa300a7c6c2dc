// SPDX-License-Identifier: Apache-2.0
import type { EffectiveSpec } from '@agenttier/crds/generated/types';
import { describe, expect, it } from 'vitest';
import { contentOf } from './content.ts';
import { buildPod } from '../sandbox/pod.ts';
import { SETTINGS } from '../testing/fixtures.ts';
import { planSecrets, projectedSecrets, slotPlanSecrets } from './secrets.ts';

const MIB = 1024 * 1024;
const owner = { namespace: 'team', name: 'one', uid: '0d9c' };
const file = (path: string, size: number) => ({ path, content: 'x'.repeat(size) });

describe('contentOf', () => {
  it('is nothing where a start brings nothing', () => {
    expect(contentOf({ harness: { hooks: { onStart: 'x' } } })).toBeUndefined();
    expect(planSecrets(owner, {})).toEqual([]);
  });

  it('needs a manifest although all files come from other objects', () => {
    const spec: EffectiveSpec = { files: [{ path: 'a', secretRef: { name: 's', key: 'k' } }] };
    expect(Object.keys(contentOf(spec)?.bundles[0]?.data ?? {})).toEqual(['plan.json']);
    expect(contentOf(spec)?.externals).toEqual([
      { kind: 'secret', name: 's', item: { key: 'k', path: 'f0', mode: 0o440 } },
    ]);
  });

  it('takes as many Secrets as it needs, none larger than Kubernetes lets it be', () => {
    const spec = { files: [file('a', MIB), file('b', 600_000), file('c', 400_000)] };
    const bundles = contentOf(spec)?.bundles ?? [];
    const sizes = bundles.map(({ data }) =>
      Object.values(data).reduce((sum, text) => sum + Buffer.from(text, 'base64').length, 0),
    );
    expect(sizes).toHaveLength(2);
    expect(Math.max(...sizes)).toBeLessThanOrEqual(MIB);
    expect(bundles.flatMap(({ data }) => Object.keys(data)).toSorted()).toEqual([
      'f0',
      'f1',
      'f2',
      'plan.json',
    ]);
  });

  it('gives another Secret another name, and the same content the same', () => {
    const names = (content: string) =>
      planSecrets(owner, { files: [{ path: 'a', content }] }).map(({ metadata }) => metadata.name);
    expect(names('x')).toEqual(names('x'));
    expect(names('x')).not.toEqual(names('y'));
    expect(names('x')[0]).toMatch(/^one-plan-[0-9a-f]{10}$/);
  });
});

describe('a slot', () => {
  const spec = { image: { repository: 'x' }, files: [file('a', 3)], initScripts: ['true'] };

  it('has Secrets of its own that go with its pod, and that its pod mounts', () => {
    const slot = { namespace: 'team', name: 'slot-1', uid: '' };
    const built = buildPod({
      owner: slot,
      spec,
      settings: SETTINGS,
      pvcName: 'v',
      nonce: '1',
      awaitsClaim: true,
    });
    const [secret] = slotPlanSecrets({ metadata: { namespace: 'team', name: 'slot-1', uid: 'p1' } }, spec);
    expect([...projectedSecrets(built)]).toEqual([secret?.metadata.name]);
    expect(secret?.metadata.ownerReferences).toMatchObject([{ kind: 'Pod', name: 'slot-1', uid: 'p1' }]);
    expect(Object.keys(secret?.metadata.labels ?? {})).not.toContain('agenttier.io/slot');
  });
});
