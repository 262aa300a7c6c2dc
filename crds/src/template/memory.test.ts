// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from 'vitest';
import type { SandboxSpec } from '../generated/types.ts';
import { effectivePolicy } from '../governance/effective.ts';
import { evaluate } from '../governance/evaluate.ts';
import { validateResolved } from '../sandbox/validate.ts';
import type { TemplateObject } from './compose.ts';
import { readDefaults } from './defaults.ts';
import { resolve, resolveOver } from './merge.ts';

const DIGEST = `sha256:${'a'.repeat(64)}`;
const IMAGE = `ghcr.io/mem0ai/mem0-api-server@${DIGEST}`;
const settings = readDefaults({ MEMORY_IMAGE: IMAGE });
const agent: TemplateObject = {
  kind: 'ClusterSandboxTemplate',
  metadata: { name: 'agent', uid: 'u', generation: 1 },
  spec: {
    mode: 'agent',
    image: { repository: 'ghcr.io/acme/agent', tag: '1' },
    sidecars: [
      { name: 'cache', image: 'ghcr.io/acme/cache:1', resources: { limits: { cpu: '1', memory: '1Gi' } } },
    ],
  },
};
const resolved = (spec: SandboxSpec = {}, with_ = settings) => resolve(spec, [agent], with_).resolved;

describe('the memory of agents', () => {
  it('is beside every agent where the installation has one, and beside nothing else', () => {
    expect(resolved().spec?.sidecars?.map(({ name }) => name)).toEqual(['cache', 'mem0']);
    expect(resolved().spec?.env).toEqual([{ name: 'MEM0_BASE_URL', value: 'http://localhost:8000' }]);
    expect(resolved({ mode: 'code' }).spec?.sidecars).toHaveLength(1);
    expect(resolved({}, readDefaults({})).spec?.sidecars).toHaveLength(1);
  });

  it('keeps its data on the volume, reached by its own pod only', () => {
    const memory = resolved({ storage: { mountPath: '/data' } }).spec?.sidecars?.[1];
    expect(memory).toMatchObject({
      image: IMAGE,
      env: expect.arrayContaining([
        { name: 'MEM0_HOST', value: '127.0.0.1' },
        { name: 'MEM0_DATA_DIR', value: '/data/.agenttier/memory' },
      ]),
      resources: { limits: { cpu: '500m', memory: '512Mi' } },
      volumeMounts: [
        { name: 'workspace', mountPath: '/data' },
        { name: 'tmp', mountPath: '/tmp' },
      ],
    });
  });

  it('leaves an address that somebody else has set', () => {
    const env = [{ name: 'MEM0_BASE_URL', value: 'https://memory.example.com' }];
    expect(resolved({ env }).spec?.env).toEqual(env);
  });

  it('is admitted although nobody else may use its name', () => {
    expect(validateResolved(resolved())).toEqual([]);
    const own = { sidecars: [{ name: 'mem0', image: 'ghcr.io/evil/mem0:1' }] };
    const without = resolve(own, [agent], readDefaults({})).resolved;
    expect(validateResolved(without)).toMatchObject([{ field: 'spec.sidecars[1].name' }]);
  });

  it('is held to registries and digests, and is no sidecar of theirs', () => {
    const limits = { cpu: '1', memory: '1Gi' };
    const own = { sidecars: [{ name: 'second', image: 'ghcr.io/acme/second:1', resources: { limits } }] };
    const judge = (spec: object) =>
      evaluate({
        namespace: 'team',
        spec: own,
        resolved: resolved(own),
        policy: effectivePolicy(spec, undefined),
      }).violations;
    expect(judge({ approvedRegistries: ['ghcr.io/acme'] })).toMatchObject([
      { code: 'image_registry_not_approved', actual: IMAGE },
    ]);
    expect(judge({ approvedRegistries: ['ghcr.io'], maxSidecars: 2 })).toEqual([]);
    expect(judge({ maxSidecars: 1 })).toMatchObject([{ code: 'sidecars_exceeded', actual: 2 }]);
  });

  it('keeps prepared pods without it from sandboxes that have it', () => {
    expect(resolved().compat).not.toBe(resolved({}, readDefaults({})).compat);
  });

  it('is the same however often it is merged, and goes when the installation has none any more', () => {
    const first = resolved();
    expect(resolveOver(first, {}, settings).resolved).toEqual(first);
    expect(resolveOver(first, {}, readDefaults({})).resolved.spec).toEqual(
      resolved({}, readDefaults({})).spec,
    );
  });

  it('is named by its digest', () => {
    expect(() => readDefaults({ MEMORY_IMAGE: 'ghcr.io/mem0ai/mem0:latest' })).toThrow(/digest is expected/);
  });
});
