// SPDX-License-Identifier: Apache-2.0
import type { KubeObject } from '@agenttier/machinery/kube/resource';
import { describe, expect, it } from 'vitest';
import { podObject, sandboxObject } from '../testing/objects.ts';
import { Callers } from './callers.ts';
import { leanPod, leanSandbox } from './lean.ts';

const { signal } = new AbortController();

class Scene {
  readonly callers = new Callers({ patienceMs: 20 });

  pod(object: KubeObject): this {
    this.callers.pods.applyWatch(leanPod(object));
    return this;
  }

  sandbox(object: KubeObject): this {
    this.callers.sandboxes.applyWatch(leanSandbox(object));
    return this;
  }

  who(address: string, podUid: string): Promise<string | undefined> {
    return this.callers.identify(address, podUid, signal).then((caller) => caller?.name);
  }
}

const scene = (): Scene =>
  new Scene()
    .sandbox(sandboxObject('a', ['a.example.com']))
    .sandbox(sandboxObject('b', ['b.example.com']))
    .pod(podObject('a', '10.0.0.1'))
    .pod(podObject('b', '10.0.0.2'));

describe('identify', () => {
  it('takes address and uid together', async () => {
    expect(await scene().who('10.0.0.1', 'pod-a')).toBe('a');
    expect(await scene().who('10.0.0.2', 'pod-a')).toBeUndefined();
    expect(await scene().who('10.0.0.1', 'pod-b')).toBeUndefined();
    expect(await scene().who('10.0.0.9', 'pod-a')).toBeUndefined();
  });

  it('an address that passed on never gives the new pod what the old one had, however late the watch', async () => {
    const late = scene();
    // The network has given a's address to c; the watch has said nothing of it.
    expect(await late.who('10.0.0.1', 'pod-c')).toBeUndefined();
    const waiting = new Scene().sandbox(sandboxObject('c', []));
    const who = waiting.callers.identify('10.0.0.1', 'pod-c', AbortSignal.timeout(5_000));
    waiting.pod(podObject('a', '10.0.0.1')).sandbox(sandboxObject('a', ['a.example.com']));
    waiting.pod(podObject('c', '10.0.0.1'));
    expect((await who)?.name).toBe('c');
  });

  it('two pods at one address, while the end of one is not seen, are told apart', async () => {
    const both = scene().pod(podObject('b', '10.0.0.1'));
    expect(await both.who('10.0.0.1', 'pod-a')).toBe('a');
    expect(await both.who('10.0.0.1', 'pod-b')).toBe('b');
  });

  it.each<[string, KubeObject]>([
    ['a slot that nobody claimed', podObject('x', '10.0.0.5', { labels: { 'agenttier.io/slot': 'pool' } })],
    ['a pod that has ended', podObject('x', '10.0.0.5', { phase: 'Failed' })],
    ["a pod with the node's address", podObject('x', '10.0.0.5', { hostNetwork: true })],
    ['a pod of an earlier sandbox of the name', podObject('x', '10.0.0.5', { sandboxUid: 'older' })],
  ])('%s speaks for nobody', async (_name, pod) => {
    expect(await scene().sandbox(sandboxObject('x', [])).pod(pod).who('10.0.0.5', 'pod-x')).toBeUndefined();
  });
});

describe('domainsOf', () => {
  const names = (one: Scene, podUid = 'pod-a') =>
    one.callers
      .identify('10.0.0.1', podUid, signal)
      .then((caller) => () => (caller ? one.callers.domainsOf(caller).map(({ name }) => name) : undefined));

  it("is the caller's own list, as it is now", async () => {
    const one = scene();
    const now = await names(one);
    expect(now()).toEqual(['a.example.com']);
    one.sandbox(sandboxObject('a', ['other.example.com']));
    expect(now()).toEqual(['other.example.com']);
  });

  it.each<[string, (one: Scene) => void]>([
    ['its pod is gone', (one) => one.callers.pods.deleteWatch(leanPod(podObject('a', '10.0.0.1')))],
    ['its pod has ended', (one) => one.pod(podObject('a', '10.0.0.1', { phase: 'Succeeded' }))],
    ['another pod has its name', (one) => one.pod(podObject('a', '10.0.0.1', { uid: 'pod-a2' }))],
    ['it is gone', (one) => one.callers.sandboxes.deleteWatch(leanSandbox(sandboxObject('a', [])))],
    ['another sandbox has its name', (one) => one.sandbox(sandboxObject('a', ['x.example.com'], 'uid-2'))],
  ])('is empty once %s', async (_name, change) => {
    const one = scene();
    const now = await names(one);
    change(one);
    expect(now()).toEqual([]);
  });
});
