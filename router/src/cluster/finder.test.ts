// SPDX-License-Identifier: Apache-2.0
import type { Sandbox } from '@agenttier/crds/generated/types';
import type { KubeClient } from '@agenttier/machinery/kube/client';
import { KubeError } from '@agenttier/machinery/kube/errors';
import { describe, expect, it } from 'vitest';
import type { Principal } from '../auth/principal.ts';
import { createStores } from './caches.ts';
import { SandboxFinder } from './finder.ts';

const person = (sub: string): Principal => ({ sub, email: '', name: sub, groups: [], isAdmin: false });

const sandboxOf = (owner: string, name = 'box'): Sandbox => ({
  metadata: { name, namespace: 'default', uid: `uid-${name}`, resourceVersion: '1' },
  spec: { createdBy: { sub: owner } },
});

const notFound = (): KubeError =>
  new KubeError({ status: 404, reason: 'NotFound', message: 'no such sandbox' });

/** A finder over a cache and an API server that hold what they are given, and the names that the server was asked for. */
function finderOver(cached: readonly Sandbox[], stored: readonly Sandbox[]) {
  const { sandboxes } = createStores();
  for (const object of cached) sandboxes.applyWatch(object);
  const asked: string[] = [];
  const get = async (_: unknown, { name }: { name: string }): Promise<Sandbox> => {
    asked.push(name);
    const object = stored.find((each) => each.metadata.name === name);
    if (object === undefined) throw notFound();
    return object;
  };
  const client = { get } as unknown as Pick<KubeClient, 'get'>;
  return {
    finder: new SandboxFinder({ client, sandboxes, defaultNamespace: 'default', now: () => 0 }),
    asked,
  };
}

describe('SandboxFinder', () => {
  it('reads only the cache for what the cache knows', async () => {
    const { finder, asked } = finderOver([sandboxOf('ann')], []);
    expect((await finder.find({ id: 'box' }, person('ann'))).role).toBe('owner');
    expect(asked).toEqual([]);
  });

  it('reads anew what the cache may not know yet, but takes no other sandbox of that name', async () => {
    const stopping: Sandbox = { ...sandboxOf('ann'), spec: { desiredState: 'Stopped' } };
    const { finder } = finderOver([sandboxOf('ann')], [stopping]);
    expect(await finder.reread(sandboxOf('ann'))).toBe(stopping);
    const before = { ...sandboxOf('ann'), metadata: { name: 'box', namespace: 'default', uid: 'earlier' } };
    expect(await finder.reread(before)).toBe(before);
    expect(await finderOver([], []).finder.reread(before)).toBe(before);
  });

  it('finds what another replica has just created', async () => {
    const { finder, asked } = finderOver([], [sandboxOf('ann')]);
    expect((await finder.find({ id: 'box' }, person('ann'))).sandbox.metadata.uid).toBe('uid-box');
    expect(asked).toEqual(['box']);
  });

  it.each([
    ['does not exist', [], []],
    ['is somebody else’s, read live', [], [sandboxOf('bob')]],
    ['is somebody else’s, known to the cache', [sandboxOf('bob')], [sandboxOf('bob')]],
  ])('gives the same 404 for one that %s', async (_, cached, stored) => {
    const { finder } = finderOver(cached, stored);
    await expect(finder.find({ id: 'box' }, person('ann'))).rejects.toMatchObject({
      status: 404,
      message: 'sandbox box not found',
    });
  });

  it('does not let a scanner of names through to the API server', async () => {
    const { finder, asked } = finderOver([], []);
    for (let tries = 0; tries < 150; tries += 1) {
      await expect(finder.find({ id: `name-${tries}` }, person('eve'))).rejects.toMatchObject({
        status: 404,
      });
    }
    expect(asked).toHaveLength(100);
  });
});
