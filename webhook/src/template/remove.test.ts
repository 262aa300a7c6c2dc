// SPDX-License-Identifier: Apache-2.0
import type { Sandbox } from '@agenttier/crds/generated/types';
import { resolve } from '@agenttier/crds/template/merge';
import type { TemplateObject } from '@agenttier/crds/template/compose';
import { describe, expect, it } from 'vitest';
import { cluster, local, lookupScene } from '../testing/lookupScene.ts';
import type { LookupScene } from '../testing/lookupScene.ts';
import { removalViolations } from './remove.ts';

const template = (name: string, annotations: Record<string, string> = {}): TemplateObject => ({
  kind: 'ClusterSandboxTemplate',
  metadata: { name, annotations },
  spec: {},
});

function user(
  name: string,
  chain: readonly TemplateObject[],
  more: Partial<Sandbox['metadata']> = {},
): Sandbox {
  return {
    metadata: { name, namespace: 'team', ...more },
    spec: { resolved: resolve({}, chain).resolved },
  };
}

function reasons(object: TemplateObject, scene: LookupScene, username = 'someone'): string[] {
  const users = lookupScene(scene).lookup.users();
  return removalViolations(object, users, { username }).map(({ message }) => message);
}

const base = template('base');
const sandboxes = [user('a', [base, template('leaf')]), user('b', [base])];

describe('deleting a template', () => {
  it('is free while nobody names it', () => {
    expect(reasons(template('other'), { sandboxes })).toEqual([]);
  });

  it('is refused for every sandbox whose chain it is in, and says which', () => {
    expect(reasons(base, { sandboxes })).toEqual([
      expect.stringMatching(
        /^ClusterSandboxTemplate\/base is used by 2 sandboxes: team\/a, team\/b\. Delete /,
      ),
    ]);
    expect(reasons(template('leaf'), { sandboxes })).toHaveLength(1);
  });

  it('names five at most', () => {
    const many = Array.from({ length: 9 }, (_, i) => user(`s${i}`, [base]));
    expect(reasons(base, { sandboxes: many })).toEqual([expect.stringContaining('team/s4 and 4 more')]);
  });

  it('is refused for children, in the cluster and in namespaces', () => {
    const stored = [
      cluster('c', { inheritsFrom: { name: 'base' } }),
      local('n', { inheritsFrom: { kind: 'ClusterSandboxTemplate', name: 'base' } }),
      local('not', { inheritsFrom: { kind: 'SandboxTemplate', name: 'base' } }),
    ];
    expect(reasons(base, { sandboxes: [], stored })).toEqual([
      expect.stringContaining('2 templates: ClusterSandboxTemplate/c, SandboxTemplate/team-a/n.'),
    ]);
  });

  it('is refused for a sandbox from before the webhook by its reference alone', () => {
    const early = { metadata: { name: 'old', namespace: 'team' }, spec: { templateRef: { name: 'base' } } };
    expect(reasons(base, { sandboxes: [early] })).toHaveLength(1);
  });

  it('does not wait for a sandbox that is on its way out', () => {
    const leaving = user('a', [base], { deletionTimestamp: '2026-11-24T00:00:00Z' });
    expect(reasons(base, { sandboxes: [leaving] })).toEqual([]);
  });

  it('is not refused when it is meant, or when the namespace goes as a whole', () => {
    expect(reasons(template('base', { 'agenttier.io/force-delete': 'true' }), { sandboxes })).toEqual([]);
    expect(reasons(template('base', { 'agenttier.io/force-delete': 'false' }), { sandboxes })).toHaveLength(
      1,
    );
    const controller = 'system:serviceaccount:kube-system:namespace-controller';
    expect(reasons(base, { sandboxes }, controller)).toEqual([]);
  });

  it('waits until it is known who uses it', () => {
    expect(reasons(base, {})).toEqual([expect.stringContaining('try again')]);
  });
});
