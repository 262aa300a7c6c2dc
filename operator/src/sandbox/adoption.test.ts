// SPDX-License-Identifier: Apache-2.0
import { beforeEach, describe, expect, it } from 'vitest';
import { WarmWorld } from '../testing/warmWorld.ts';

let world: WarmWorld;

beforeEach(() => {
  world = new WarmWorld();
});

describe('a slot that cannot be reached at once', () => {
  it.each([
    { dropped: 1, warm: true },
    { dropped: 100, warm: false },
  ])('is tried again without having been asked: $dropped failed connections', async ({ dropped, warm }) => {
    world.pool();
    await world.fill();
    world.sandbox();
    world.dropped = dropped;
    await world.start();
    expect(world.adoptions).toHaveLength(warm ? 1 : 0);
    expect(world.dropped > 0).toBe(!warm);
  });
});
