// SPDX-License-Identifier: Apache-2.0
import type { TemplateSpec } from '@agenttier/crds/generated/types';
import { KubeError } from '@agenttier/machinery/kube/errors';
import type { KubeObject } from '@agenttier/machinery/kube/resource';
import { silentLogger } from '@agenttier/machinery/telemetry/log';
import { describe, expect, it } from 'vitest';
import { createCaches } from '../caches.ts';
import { sandbox, SETTINGS, template } from '../testing/fixtures.ts';
import { reconcilePrepull } from './controller.ts';
import { buildPrepull } from './daemonSet.ts';
import { imagesToPull, MAX_IMAGES } from './images.ts';

const { signal } = new AbortController();

function images(
  specs: Readonly<Record<string, TemplateSpec>>,
  used: Readonly<Record<string, number>> = {},
  extra: string[] = [],
) {
  const all = Object.entries(specs).map(([name, spec]) => template(spec, name));
  return imagesToPull({
    templates: all.map((one) => ({ template: one, usedBy: used[one.metadata.name ?? ''] ?? 0 })),
    lookup: ({ name }) => all.find(({ metadata }) => metadata.name === name),
    extra,
    pullSecrets: ['company'],
  });
}

const image = (repository: string, more: object = {}) => ({ image: { repository, tag: '1', ...more } });

describe('images to pull', () => {
  it('are those that templates come to with their parents, each once', () => {
    const child = {
      inheritsFrom: { kind: 'ClusterSandboxTemplate', name: 'root' },
      image: { tag: '2' },
    } as const;
    const sidecars = [{ name: 'db', image: 'redis:7' }];
    const found = images({ root: image('r/base'), child, other: { ...image('r/base'), sidecars } });
    expect(found).toEqual(['r/base:2', 'r/base:1', 'redis:7']);
  });

  it('come in the order of what the installation names, then of use', () => {
    const specs = { a: image('r/a'), b: image('r/b'), c: image('r/c') };
    expect(images(specs, { b: 9, c: 1 }, ['r/first:1', 'r/c:1'])).toEqual([
      'r/first:1',
      'r/c:1',
      'r/b:1',
      'r/a:1',
    ]);
  });

  it('leave out what only a Secret of some namespace opens, a template that leads nowhere, and what is too much', () => {
    const lost = {
      inheritsFrom: { kind: 'ClusterSandboxTemplate', name: 'gone' },
      ...image('r/lost'),
    } as const;
    const closed = image('r/closed', { pullSecret: 'team' });
    expect(images({ closed, ours: image('r/ours', { pullSecret: 'company' }), lost, none: {} })).toEqual([
      'r/ours:1',
    ]);
    const many = Object.fromEntries(Array.from({ length: 60 }, (_, i) => [`t${i}`, image(`r/i${i}`)]));
    expect(images(many)).toHaveLength(MAX_IMAGES);
  });
});

describe('the pods that pull', () => {
  const placement = { nodeSelector: { pool: 'x' }, tolerations: [{ key: 'only' }], priorityClass: 'p' };
  const built = buildPrepull(
    ['r/a:1', 'r/b:1'],
    { ...SETTINGS, placement, pullSecrets: ['company'] },
    undefined,
  );
  const pod = (built as unknown as { spec: { template: { spec: Record<string, unknown> } } }).spec.template
    .spec;

  it('run one image after the other, by a program of ours that needs nothing of them', () => {
    expect(pod['initContainers']).toMatchObject([
      { image: SETTINGS.runtimeImage, command: ['/agenttier-runtime', 'install', '/agenttier/bin'] },
      { image: 'r/a:1', command: ['/agenttier/bin/agenttier-runtime', 'version'] },
      { image: 'r/b:1', command: ['/agenttier/bin/agenttier-runtime', 'version'] },
    ]);
    expect(pod['containers']).toMatchObject([
      { image: SETTINGS.runtimeImage, command: ['/agenttier-runtime', 'idle'] },
    ]);
  });

  it('ask for next to nothing, are hardened, and go where sandboxes go', () => {
    for (const one of [...(pod['initContainers'] as object[]), ...(pod['containers'] as object[])]) {
      expect(one).toMatchObject({
        resources: { requests: { cpu: '1m', memory: '8Mi' } },
        securityContext: {
          runAsNonRoot: true,
          readOnlyRootFilesystem: true,
          capabilities: { drop: ['ALL'] },
        },
      });
    }
    expect(pod).toMatchObject({
      automountServiceAccountToken: false,
      nodeSelector: { pool: 'x' },
      tolerations: [{ key: 'only' }],
      imagePullSecrets: [{ name: 'company' }],
    });
    expect(pod).not.toHaveProperty('priorityClassName');
  });
});

function scene(prepull = { enabled: true, images: [] as string[] }) {
  const caches = createCaches();
  const calls: string[] = [];
  let live: KubeObject | undefined;
  const missing = () => Promise.reject(new KubeError({ status: 404, reason: 'NotFound', message: 'gone' }));
  const client = {
    get: ({ kind }: { kind: string }) => {
      if (kind === 'Deployment')
        return Promise.resolve({ metadata: { name: 'agenttier-operator', uid: 'uid-dep' } });
      return live === undefined ? missing() : Promise.resolve(live);
    },
    apply: (_: unknown, body: KubeObject) => {
      calls.push('apply');
      live = { ...body, metadata: { ...body.metadata, uid: 'uid-set' } };
      return Promise.resolve(live);
    },
    delete: (_: unknown, __: unknown, options: { preconditions: object }) => {
      calls.push(`delete ${JSON.stringify(options.preconditions)}`);
      live = undefined;
      return Promise.resolve();
    },
  };
  const options = { client: client as never, caches, log: silentLogger };
  return {
    caches,
    calls,
    live: () => live,
    run: (now = prepull) => reconcilePrepull({ ...options, settings: { ...SETTINGS, prepull: now } }, signal),
  };
}

describe('the DaemonSet', () => {
  it('follows the templates, is written once for each set, and goes with the last image', async () => {
    const { caches, calls, run, live } = scene();
    await run();
    expect(calls).toEqual([]);
    caches.clusterTemplates.applyWatch(template(image('r/a')));
    caches.sandboxes.applyWatch(sandbox());
    await run();
    await run();
    expect(calls).toEqual(['apply']);
    expect(live()?.metadata.ownerReferences).toMatchObject([{ kind: 'Deployment', uid: 'uid-dep' }]);
    caches.clusterTemplates.applyWatch({
      ...template(image('r/b')),
      metadata: { ...template({}).metadata, resourceVersion: '2' },
    });
    await run();
    expect(JSON.stringify(live())).not.toContain('r/a:1');
    await run({ enabled: false, images: [] });
    expect(calls).toEqual(['apply', 'apply', 'delete {"uid":"uid-set"}']);
  });
});
