// SPDX-License-Identifier: Apache-2.0
import type { Sandbox } from '@agenttier/crds/generated/types';
import { ANNOTATION_ADMITTED_AT, FINALIZER } from '@agenttier/crds/meta/labels';
import { SANDBOX_TEMPLATES, SANDBOXES } from '@agenttier/crds/meta/resources';
import { isSealed } from '@agenttier/crds/sandbox/validate';
import { SERVICES } from '@agenttier/machinery/kube/resource';
import type { KubeObject } from '@agenttier/machinery/kube/resource';
import { describe, expect, it } from 'vitest';
import { alice, useScene } from './envtest/scene.ts';

const scene = useScene();

describe('a new sandbox', () => {
  it('is stored with owner, finalizer, state and a sealed resolved spec', async () => {
    const { metadata, spec } = await scene.create(
      'Sandbox',
      'plain',
      { templateRef: { name: scene.base } },
      { impersonate: alice },
    );
    expect(spec).toMatchObject({
      templateRef: { name: scene.base, kind: 'ClusterSandboxTemplate' },
      desiredState: 'Running',
      createdBy: { sub: 'alice', email: 'alice@example.com' },
      resolved: {
        chain: [{ kind: 'ClusterSandboxTemplate', name: scene.base }],
        spec: { image: { repository: 'ghcr.io/acme/base' }, storage: { size: '1Gi' } },
        origins: { 'image.repository': `ClusterSandboxTemplate/${scene.base}` },
      },
    });
    expect(spec?.resolved && isSealed(spec.resolved)).toBe(true);
    expect(metadata.finalizers).toEqual([FINALIZER]);
    expect(Number(metadata.annotations?.[ANNOTATION_ADMITTED_AT])).toBeGreaterThan(Date.now() - 60_000);
  });

  it('belongs to the Kubernetes user when it does not come through the router', async () => {
    expect((await scene.create('Sandbox', 'by-kubectl', scene.spec())).spec?.createdBy).toEqual({
      sub: 'envtest-admin',
    });
  });

  it('that lists domains is stored with a warning while nothing enforces them', async () => {
    const create = async (name: string): Promise<string[]> => {
      const warnings: string[] = [];
      const network = { allowedDomains: ['packages.example'] };
      const options = { onWarning: (text: string) => void warnings.push(text) };
      await scene.create('Sandbox', name, scene.spec({ network }), options);
      return warnings;
    };
    expect(await create('listing')).toEqual([
      expect.stringMatching(/^spec.network.allowedDomains: .* gateway is not installed/),
    ]);
    const gateway = { metadata: { name: 'agenttier-gateway' }, spec: { ports: [{ port: 3128 }] } };
    await scene.client.create(SERVICES, scene.install, gateway);
    expect(await create('listing-too')).toEqual([]);
  });

  it('may have a generated name', async () => {
    const { spec, ...rest } = scene.manifest('Sandbox', '', scene.spec());
    const body = { ...rest, spec, metadata: { namespace: scene.team, generateName: 'gen-' } };
    expect((await scene.client.create<KubeObject>(SANDBOXES, scene.team, body)).metadata.name).toMatch(
      /^gen-/,
    );
  });

  it('does not keep what it claims about itself', async () => {
    const claims = {
      createdBy: { sub: 'mallory' },
      resolved: { hash: 'f'.repeat(64), spec: { runtimeClass: 'x' } },
    };
    const { spec } = await scene.create('Sandbox', 'claims', scene.spec(claims), { impersonate: alice });
    expect(spec?.createdBy?.sub).toBe('alice');
    expect(spec?.resolved?.spec?.runtimeClass).toBeUndefined();
    expect(spec?.resolved && isSealed(spec.resolved)).toBe(true);
  });

  it('of a template chain that arrives in the same moment', async () => {
    const parent = { inheritsFrom: { kind: 'ClusterSandboxTemplate', name: scene.base } };
    await scene.create('SandboxTemplate', 'middle', { ...parent, env: [{ name: 'A', value: 'middle' }] });
    await scene.create('SandboxTemplate', 'leaf', { inheritsFrom: { name: 'middle' }, timeout: '1h' });
    const { spec } = await scene.create('Sandbox', 'chained', { templateRef: { name: 'leaf' } });
    expect(spec?.templateRef).toEqual({ name: 'leaf', kind: 'SandboxTemplate' });
    expect(spec?.resolved?.chain?.map((link) => link.name)).toEqual([scene.base, 'middle', 'leaf']);
    expect(spec?.resolved?.origins).toMatchObject({
      timeout: `SandboxTemplate/${scene.team}/leaf`,
      'env[A]': `SandboxTemplate/${scene.team}/middle`,
      'image.repository': `ClusterSandboxTemplate/${scene.base}`,
    });
  });
});

describe('the same file once more', () => {
  it('changes nothing by server-side apply, not for a second manager either', async () => {
    const body = scene.manifest(
      'Sandbox',
      'applied',
      { templateRef: { name: scene.base }, env: [{ name: 'A', value: '1' }] },
      scene.team,
    );
    const apply = (fieldManager: string): Promise<KubeObject> =>
      scene.client.apply(SANDBOXES, body, { fieldManager });
    const first = await apply('kubectl');
    const second = await apply('kubectl');
    expect(second.metadata.resourceVersion).toBe(first.metadata.resourceVersion);
    expect(second.metadata.generation).toBe(first.metadata.generation);
    const other = await apply('gitops');
    expect(other.metadata.generation).toBe(first.metadata.generation);
    expect((await apply('gitops')).metadata.resourceVersion).toBe(other.metadata.resourceVersion);
    expect((other as Sandbox).spec?.createdBy).toEqual((first as Sandbox).spec?.createdBy);
  });

  it('changes nothing by replace', async () => {
    const first = await scene.create('Sandbox', 'replaced', {
      templateRef: { name: scene.base },
      timeout: '1h',
    });
    const body = scene.manifest(
      'Sandbox',
      'replaced',
      { templateRef: { name: scene.base }, timeout: '1h' },
      scene.team,
    );
    const metadata = { ...body.metadata, resourceVersion: first.metadata.resourceVersion ?? '' };
    const second = await scene.client.update(SANDBOXES, { ...body, metadata });
    expect(second.metadata.resourceVersion).toBe(first.metadata.resourceVersion);
  });

  it('changes nothing for templates', async () => {
    await scene.create('SandboxTemplate', 'twice-parent', {});
    const body = scene.manifest(
      'SandboxTemplate',
      'twice',
      { inheritsFrom: { name: 'twice-parent' } },
      scene.team,
    );
    const first = await scene.client.apply(SANDBOX_TEMPLATES, body, { fieldManager: 'kubectl' });
    const second = await scene.client.apply(SANDBOX_TEMPLATES, body, { fieldManager: 'kubectl' });
    expect(first).toMatchObject({ spec: { inheritsFrom: { kind: 'SandboxTemplate' } } });
    expect(second.metadata.resourceVersion).toBe(first.metadata.resourceVersion);
  });
});
