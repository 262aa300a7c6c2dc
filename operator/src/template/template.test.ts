// SPDX-License-Identifier: Apache-2.0
import type { ClusterSandboxTemplate, TemplateSpec, TemplateStatus } from '@agenttier/crds/generated/types';
import { templateKey } from '@agenttier/crds/template/users';
import type { ObjectKey, Resource } from '@agenttier/machinery/kube/resource';
import { silentLogger } from '@agenttier/machinery/telemetry/log';
import { until } from '@agenttier/machinery/testing/until';
import { describe, expect, it } from 'vitest';
import { createCaches } from '../caches.ts';
import { sandbox, T0, template } from '../testing/fixtures.ts';
import { reconcileTemplate, watchTemplates } from './controller.ts';

const key = (name: string): string => templateKey('ClusterSandboxTemplate', undefined, name);

/** Caches that take in what is patched, as a watch would. */
function world(...templates: readonly ClusterSandboxTemplate[]) {
  const caches = createCaches();
  for (const one of templates) caches.clusterTemplates.applyWatch(one);
  const written: string[] = [];
  const patch = async (
    _resource: Resource,
    { name }: ObjectKey,
    { body }: { readonly body: unknown },
  ): Promise<never> => {
    const { status } = body as { status: TemplateStatus };
    written.push(name);
    const old = caches.clusterTemplates.get(undefined, name) as ClusterSandboxTemplate;
    const metadata = { ...old.metadata, resourceVersion: `${written.length + 1}` };
    caches.clusterTemplates.applyWatch({ ...old, metadata, status: { ...old.status, ...status } });
    return old as never;
  };
  const options = { client: { patch }, caches, log: silentLogger, now: () => T0 };
  const statusOf = (name: string): TemplateStatus =>
    caches.clusterTemplates.get(undefined, name)?.status ?? {};
  const reason = (name: string): string | undefined => statusOf(name).conditions?.[0]?.reason;
  return { caches, written, options, statusOf, reason };
}

const child = (parent: string, spec: TemplateSpec = {}): TemplateSpec => ({
  ...spec,
  inheritsFrom: { name: parent },
});

describe('the status of a template', () => {
  it('says what the chain comes to and how many sandboxes use it, and is written once', async () => {
    const root = template({ image: { repository: 'r.test/a' } }, 'root');
    const leaf = template(child('root', { timeout: '1h' }), 'leaf');
    const { caches, written, options, statusOf } = world(root, leaf);
    caches.sandboxes.applyWatch(sandbox({ chain: [root, leaf] }));
    caches.sandboxes.applyWatch(sandbox({ chain: [root], name: 'two', uid: 'uid-two' }));
    for (const name of ['root', 'leaf', 'root', 'leaf']) await reconcileTemplate(options, key(name));
    expect(written).toEqual(['root', 'leaf']);
    expect(statusOf('root')).toMatchObject({ usedBy: 2, observedGeneration: 1 });
    expect(statusOf('leaf')).toMatchObject({
      usedBy: 1,
      resolvedHash: expect.stringMatching(/^[0-9a-f]{64}$/),
      conditions: [{ type: 'Resolved', status: 'True', reason: 'Merged' }],
    });
    expect(statusOf('leaf').resolvedHash).not.toBe(statusOf('root').resolvedHash);
  });

  it.each<[string, ClusterSandboxTemplate[], string]>([
    ['a parent that is not there', [template(child('nobody'), 'leaf')], 'TemplateNotFound'],
    ['a circle', [template(child('other'), 'leaf'), template(child('leaf'), 'other')], 'CycleDetected'],
    [
      'too long a chain',
      [
        template(child('t0'), 'leaf'),
        ...Array.from({ length: 12 }, (_, i) => template(child(`t${i + 1}`), `t${i}`)),
      ],
      'DepthExceeded',
    ],
    [
      'a parent in a namespace',
      [template({ inheritsFrom: { kind: 'SandboxTemplate', name: 'x', namespace: 'team' } }, 'leaf')],
      'KindUnknown',
    ],
  ])('says why %s comes to nothing', async (_what, templates, reason) => {
    const { options, reason: found, statusOf } = world(...templates);
    await reconcileTemplate(options, key('leaf'));
    expect(found('leaf')).toBe(reason);
    expect(statusOf('leaf').resolvedHash).toBeUndefined();
  });
});

describe('the controller of templates', () => {
  it('follows parents and sandboxes, and is not woken by its own writes', async () => {
    const root = template({ image: { repository: 'r.test/a' } }, 'root');
    const leaf = template(child('root'), 'leaf');
    const { caches, written, options, statusOf } = world(leaf);
    const stop = new AbortController();
    const running = watchTemplates(options, stop.signal);
    await until(() => statusOf('leaf').conditions?.[0]?.reason === 'TemplateNotFound', 'the first look');
    caches.clusterTemplates.applyWatch(root);
    await until(() => statusOf('leaf').conditions?.[0]?.reason === 'Merged', 'the parent to be seen');
    const before = statusOf('leaf').resolvedHash;
    caches.clusterTemplates.applyWatch({
      ...template({ image: { repository: 'r.test/b' } }, 'root'),
      metadata: { ...root.metadata, generation: 2, resourceVersion: 'second' },
    });
    await until(() => statusOf('leaf').resolvedHash !== before, 'the hash of the child to follow');
    for (let i = 0; i < 50; i++)
      caches.sandboxes.applyWatch(sandbox({ name: `s${i}`, uid: `u${i}`, chain: [root, leaf] }));
    const writes = written.length;
    await until(
      () => statusOf('leaf').usedBy === 50 && statusOf('root').usedBy === 50,
      'the users to be counted',
    );
    expect(written.length - writes, 'one write per template for all fifty').toBe(2);
    stop.abort();
    await running;
  });
});
