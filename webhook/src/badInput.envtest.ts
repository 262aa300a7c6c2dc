// SPDX-License-Identifier: Apache-2.0
import { SANDBOX_TEMPLATES } from '@agenttier/crds/meta/resources';
import { describe, expect, it } from 'vitest';
import { freshNamespace } from '../../e2e/envtest/server.ts';
import { causes, refusal, useScene } from './envtest/scene.ts';

const scene = useScene();

describe('bad input', () => {
  it('an unknown template, with the names that come near', async () => {
    const error = await refusal(
      scene.create('Sandbox', 'x', { templateRef: { name: scene.base.replace('base', 'bsae') } }),
    );
    expect(error.status).toBe(422);
    expect(causes(error)).toEqual(['spec.templateRef.name template_not_found']);
    expect(error.message).toContain(`names near it: ${scene.base}`);
  });

  it.each([
    ['a duration that is none', { timeout: '1d' }, 'spec.timeout'],
    ['a mount over the kernel', { storage: { mountPath: '/proc/x' } }, 'mountPath'],
    ['a field that nothing acts on', { storage: { existingClaim: 'x' } }, 'spec.storage.existingClaim'],
    ['a reserved variable', { env: [{ name: 'AGENTTIER_TOKEN', value: 'x' }] }, 'spec.env[0].name'],
    ['a list in the place of an object', { resources: [] }, 'spec.resources'],
    ['text in the place of a list', { env: 'A=B' }, 'spec.env'],
    ['a number in the place of the reference', { templateRef: 7 }, 'spec.templateRef'],
  ])('%s', async (_what, more, field) => {
    const error = await refusal(scene.create('Sandbox', 'x', scene.spec(more)));
    expect(error.status).toBe(422);
    expect(error.message).toContain(field);
  });

  it.each([
    ['of 300 characters', 'n'.repeat(300)],
    ['of 64 characters', 'n'.repeat(64)],
    ['with a dot', 'a.b'],
  ])('a name %s', async (_what, name) => {
    const error = await refusal(scene.create('Sandbox', name, scene.spec()));
    expect(error.status).toBe(422);
    expect(error.message).toContain('metadata.name');
  });

  it('a template circle', async () => {
    await scene.create('SandboxTemplate', 'ring-a', {});
    await scene.create('SandboxTemplate', 'ring-b', { inheritsFrom: { name: 'ring-a' } });
    const close = scene.client.apply(
      SANDBOX_TEMPLATES,
      scene.manifest('SandboxTemplate', 'ring-a', { inheritsFrom: { name: 'ring-b' } }, scene.team),
      { fieldManager: 'kubectl' },
    );
    const error = await refusal(close);
    expect(error.status).toBe(422);
    expect(causes(error)).toEqual(['spec.inheritsFrom.name template_cycle']);
  });

  it('a template that inherits from itself, from nothing, or from a namespace', async () => {
    const own = await refusal(scene.create('SandboxTemplate', 'ego', { inheritsFrom: { name: 'ego' } }));
    expect(causes(own)).toEqual(['spec.inheritsFrom.name template_cycle']);
    const nothing = await refusal(
      scene.create('SandboxTemplate', 'orphan', { inheritsFrom: { name: 'nobody' } }),
    );
    expect(causes(nothing)).toEqual(['spec.inheritsFrom.name template_not_found']);
    const below = { inheritsFrom: { kind: 'SandboxTemplate', name: 'middle', namespace: scene.team } };
    const error = await refusal(scene.create('ClusterSandboxTemplate', `below-${scene.team}`, below));
    expect(error.status).toBe(422);
    expect(error.message).toContain('inheritsFrom');
  });

  it('a policy that nothing could be compared with', async () => {
    const namespace = await freshNamespace('odd');
    const spec = { maxCpu: '1e99999', maxStorage: '1e99999' };
    const error = await refusal(scene.create('GovernancePolicy', 'default', spec, { namespace }));
    expect(causes(error)).toEqual(['spec.maxCpu invalid_value', 'spec.maxStorage invalid_value']);
  });

  it('a warm pool', async () => {
    const error = await refusal(
      scene.create('SandboxWarmPool', 'pool', { templateRef: { name: 'nobody' }, volume: { mode: 'None' } }),
    );
    expect(causes(error)).toEqual([
      'spec.volume.mode field_not_supported',
      'spec.templateRef.name template_not_found',
    ]);
  });
});
