// SPDX-License-Identifier: Apache-2.0
import type { Sandbox, SandboxSpec } from '@agenttier/crds/generated/types';
import type { Actor } from '@agenttier/crds/sandbox/access';
import { KubeError } from '@agenttier/machinery/kube/errors';
import type { KubeObject } from '@agenttier/machinery/kube/resource';
import { describe, expect, it } from 'vitest';
import { copyViolations } from './copy.ts';
import { boundBy, createOrigins } from './origins.ts';
import type { Origin } from './origins.ts';
import type { SpecifiedSandbox } from './specified.ts';

const source: Sandbox & KubeObject = {
  metadata: { name: 'source', namespace: 'team', uid: 'uid-source' },
  spec: {
    createdBy: { sub: 'alice' },
    sharing: {
      users: [
        { identity: 'bob', level: 'collaborator' },
        { identity: 'carol', level: 'viewer' },
      ],
    },
    resolved: { hash: 'x', spec: { storage: { size: '20Gi', storageClass: 'fast' } } },
  },
};

const person = (sub: string, more: Partial<Actor> = {}): Actor => ({
  sub,
  groups: [],
  admin: false,
  ofCluster: false,
  ...more,
});

const judge = async (spec: SandboxSpec, origin: Partial<Origin>, actor: Actor, readable = false) => {
  const sandbox = { metadata: { name: 'copy' }, spec } as SpecifiedSandbox;
  const found = await copyViolations({
    sandbox,
    origin: { possible: true, ...origin },
    actor,
    mayRead: async () => readable,
  });
  return found.map(({ code, field }) => `${field} ${code}`);
};

const CLONE: SandboxSpec = { cloneFrom: { sandbox: 'source', uid: 'uid-source' } };

describe('a copy of a sandbox', () => {
  it.each([
    ['its owner', person('alice'), []],
    ['a collaborator', person('bob'), []],
    ['an administrator', person('root', { admin: true }), []],
    ['a viewer', person('carol'), ['spec.cloneFrom.sandbox snapshot_not_allowed']],
    ['a stranger', person('mallory'), ['spec.cloneFrom.sandbox source_not_found']],
    [
      'another user of the cluster',
      person('dave', { ofCluster: true }),
      ['spec.cloneFrom.sandbox source_not_found'],
    ],
  ])('by %s', async (_name, actor, expected) => {
    expect(await judge(CLONE, { sandbox: source }, actor)).toEqual(expected);
  });

  it.each<[string, SandboxSpec, Partial<Origin>, string]>([
    ['a source that is not there', CLONE, {}, 'spec.cloneFrom.sandbox source_not_found'],
    [
      'a source on its way out',
      CLONE,
      { sandbox: { ...source, metadata: { ...source.metadata, deletionTimestamp: '2026-11-24T08:00:00Z' } } },
      'spec.cloneFrom.sandbox source_not_found',
    ],
    [
      'an identity that is not the source’s',
      { cloneFrom: { sandbox: 'source', uid: 'other' } },
      { sandbox: source },
      'spec.cloneFrom.uid resolved_forged',
    ],
    [
      'a volume that is too small',
      { ...CLONE, storage: { size: '10Gi' } },
      { sandbox: source },
      'spec.storage.size invalid_value',
    ],
    [
      'a cluster without snapshots',
      CLONE,
      { possible: false, sandbox: source },
      'spec.cloneFrom snapshots_unavailable',
    ],
  ])('is refused for %s', async (_name, spec, origin, expected) => {
    expect(await judge(spec, origin, person('alice'))).toEqual([expected]);
  });
});

describe('a volume from a snapshot', () => {
  const RESTORE: SandboxSpec = { cloneFromSnapshot: 'old' };
  const snapshot = (labels: Record<string, string>, owner?: string) => ({
    metadata: { name: 'old', labels, ...(owner ? { annotations: { 'agenttier.io/owner': owner } } : {}) },
  });
  const refused = ['spec.cloneFromSnapshot snapshot_not_allowed'];
  const ofSource = { 'agenttier.io/sandbox-uid': 'uid-source' };

  it.each<[string, Partial<Origin>, Actor, boolean, string[]]>([
    [
      'of a living sandbox, by a collaborator',
      { snapshot: snapshot(ofSource), owner: source },
      person('bob'),
      false,
      [],
    ],
    [
      'of a living sandbox, by a viewer',
      { snapshot: snapshot(ofSource), owner: source },
      person('carol'),
      false,
      refused,
    ],
    [
      'of a sandbox that is gone, by its owner',
      { snapshot: snapshot({}, 'alice') },
      person('alice'),
      false,
      [],
    ],
    [
      'of a sandbox that is gone, by another',
      { snapshot: snapshot({}, 'alice') },
      person('bob'),
      false,
      refused,
    ],
    [
      'whose owner was written down before the sandbox changed hands',
      { snapshot: snapshot(ofSource, 'mallory'), owner: source },
      person('mallory'),
      false,
      refused,
    ],
    [
      'of an earlier sandbox of the name, by who has the name now',
      { snapshot: snapshot({ 'agenttier.io/sandbox-uid': 'uid-earlier' }), owner: source },
      person('alice'),
      false,
      refused,
    ],
    [
      'that is offered to all',
      { snapshot: snapshot({ 'agenttier.io/sandbox-snapshot': 'true' }) },
      person('x'),
      false,
      [],
    ],
    [
      'of others, by somebody who may read it',
      { snapshot: snapshot({}) },
      person('x', { ofCluster: true }),
      true,
      [],
    ],
    [
      'of others, by somebody who may not',
      { snapshot: snapshot({}) },
      person('x', { ofCluster: true }),
      false,
      refused,
    ],
    ['of others, by a person of the router', { snapshot: snapshot({}) }, person('x'), true, refused],
    ['that is not there', {}, person('alice', { admin: true }), true, refused],
  ])('%s', async (_name, origin, actor, readable, expected) => {
    expect(await judge(RESTORE, origin, actor, readable)).toEqual(expected);
  });
});

describe('what is found', () => {
  const missing = new KubeError({ status: 404, reason: 'NotFound', message: 'no' });
  const client = (objects: Record<string, KubeObject>, served = true) => ({
    get: (async (resource: { plural: string }, key: { name: string }) => {
      const found = objects[`${resource.plural}/${key.name}`];
      if (found === undefined) throw missing;
      return found;
    }) as never,
    raw: (async () => {
      if (!served) throw missing;
      return { status: 200, headers: {}, body: {} };
    }) as never,
  });
  const { signal } = new AbortController();

  it('is nothing for a sandbox that starts empty', async () => {
    expect(await createOrigins(client({})).find({}, 'team', signal)).toBeUndefined();
  });

  it('bounds a copy by size and class of its source, a restore by the size of the snapshot', async () => {
    const origins = createOrigins(
      client({
        'sandboxes/source': source,
        'volumesnapshots/old': {
          metadata: { name: 'old', labels: { 'agenttier.io/source-sandbox': 'source' } },
          status: { restoreSize: '30Gi' },
        } as never,
      }),
    );
    const copy = await origins.find(CLONE, 'team', signal);
    expect(boundBy(copy)).toEqual({ size: '20Gi', storageClass: 'fast' });
    const restore = await origins.find({ cloneFromSnapshot: 'old' }, 'team', signal);
    expect(boundBy(restore)).toEqual({ size: '30Gi' });
    expect(restore?.owner?.metadata.uid).toBe('uid-source');
  });

  it('says that there are no snapshots', async () => {
    const origins = createOrigins(client({ 'sandboxes/source': source }, false));
    expect(await origins.find(CLONE, 'team', signal)).toMatchObject({ possible: false });
    expect(await origins.find({ cloneFromSnapshot: 'x' }, 'team', signal)).toEqual({ possible: false });
  });
});
