// SPDX-License-Identifier: Apache-2.0
import type { KubeObject } from '@agenttier/machinery/kube/resource';
import { describe, expect, it } from 'vitest';
import { local, lookupScene } from '../testing/lookupScene.ts';

const signal = new AbortController().signal;
const shared = local('t', { allowedNamespaces: { selector: { matchLabels: { tier: 'gold' } } } }, 'shared');
const ref = { kind: 'SandboxTemplate', namespace: 'shared', name: 't' } as const;

const home = (labels: Record<string, string>): KubeObject => ({
  kind: 'Namespace',
  metadata: { name: 'team-a', labels },
});

describe('a template that is opened to namespaces by label', () => {
  it.each<[string, KubeObject[], boolean]>([
    ['admits one that carries it', [home({ tier: 'gold' })], true],
    ['not one that carries another', [home({ tier: 'iron' })], false],
    ['nor one that is not there', [], false],
  ])('%s', async (_what, live, ok) => {
    const { lookup } = lookupScene({ stored: [shared], live });
    const result = await lookup.chain(ref, 'team-a', { signal });
    expect(result.ok).toBe(ok);
    if (!result.ok) expect(result.violation.code).toBe('template_not_allowed');
  });

  it('asks for the namespace once in a few seconds, and only for such a template', async () => {
    const plain = local('plain', {}, 'team-a');
    const scene = lookupScene({ stored: [shared, plain], live: [home({ tier: 'gold' })] });
    await scene.lookup.chain({ ...ref, namespace: 'team-a', name: 'plain' }, 'team-a', { signal });
    expect(scene.asked).toEqual([]);
    for (let i = 0; i < 3; i++) await scene.lookup.chain(ref, 'team-a', { signal });
    expect(scene.asked).toEqual(['Namespace/team-a']);
    scene.advance(5_000);
    await scene.lookup.chain(ref, 'team-a', { signal });
    expect(scene.asked).toHaveLength(2);
  });
});
