// SPDX-License-Identifier: Apache-2.0
import { beforeEach, describe, expect, it } from 'vitest';
import { WarmWorld } from '../testing/warmWorld.ts';

let world: WarmWorld;

beforeEach(async () => {
  world = new WarmWorld();
  world.pool();
  await world.fill();
});

describe('a warm start', () => {
  it.each([
    ['a clone', { cloneFrom: { sandbox: 'source' } }],
    ['what comes from a backup', { cloneFromSnapshot: 'kept' }],
  ])('is none for %s, whose volume has to be that of its origin', async (_what, spec) => {
    world.sandbox({ spec });
    await world.start();
    expect(world.slots()).toHaveLength(1);
    expect([world.claimed(), world.adoptions]).toEqual([[], []]);
    expect(world.cluster.sandbox('one').status).toMatchObject({ phase: 'Creating' });
  });
});
