// SPDX-License-Identifier: Apache-2.0
import type { Sandbox } from '@agenttier/crds/generated/types';
import { SANDBOX_TEMPLATES, SANDBOXES } from '@agenttier/crds/meta/resources';
import { until } from '@agenttier/machinery/testing/until';
import { beforeAll, describe, expect, it } from 'vitest';
import { admin, alice, bob, causes, refusal, useScene } from './envtest/scene.ts';

const scene = useScene();

const stored = (name: string): Promise<Sandbox> =>
  scene.client.get<Sandbox>(SANDBOXES, { namespace: scene.team, name });

const effective = ({ spec }: Sandbox) => spec?.resolved?.spec;

describe('an update', () => {
  beforeAll(async () => {
    await scene.create('Sandbox', 'owned', scene.spec({ timeout: '1h' }), { impersonate: alice });
  });

  it('by the owner works out the resolved spec again', async () => {
    const before = await stored('owned');
    const after = await scene.change('owned', { timeout: '2h' }, { impersonate: alice });
    expect(after.spec?.resolved?.spec?.timeout).toBe('2h');
    expect(after.spec?.resolved?.hash).not.toBe(before.spec?.resolved?.hash);
    expect(after.metadata.annotations).toEqual(before.metadata.annotations);
  });

  it('by somebody else is refused, by an administrator or a cluster user it is not', async () => {
    const error = await refusal(scene.change('owned', { desiredState: 'Stopped' }, { impersonate: bob }));
    expect(error.status).toBe(403);
    expect(error.message).toContain('only the owner');
    expect(
      (
        await refusal(
          scene.client.delete(SANDBOXES, { namespace: scene.team, name: 'owned' }, { impersonate: bob }),
        )
      ).status,
    ).toBe(403);
    await scene.change('owned', { timeout: '3h' }, { impersonate: admin });
    await scene.change('owned', { timeout: '4h' });
  });

  it('by the operator may touch metadata only', async () => {
    const key = { namespace: scene.team, name: 'owned' };
    const labels = { type: 'merge', body: { metadata: { labels: { seen: 'yes' } } } } as const;
    await scene.client.patch(SANDBOXES, key, labels, { impersonate: scene.operator() });
    expect(
      (await refusal(scene.change('owned', { desiredState: 'Stopped' }, { impersonate: scene.operator() })))
        .status,
    ).toBe(403);
  });

  it.each([
    ['the resolved spec', { resolved: { spec: { runtimeClass: 'none' } } }, 403],
    ['the owner', { createdBy: { sub: 'bob' } }, 422],
    ['the template', { templateRef: { name: 'other' } }, 422],
  ])('cannot change %s', async (_what, spec, status) => {
    expect((await refusal(scene.change('owned', spec, { impersonate: alice }))).status).toBe(status);
  });

  it('cannot shrink the volume', async () => {
    const error = await refusal(scene.change('owned', { storage: { size: '1Mi' } }, { impersonate: alice }));
    expect(causes(error)).toEqual(['spec.storage.size immutable_field']);
  });

  it('of a sandbox whose template is gone may stop, resume and edit it, with a warning', async () => {
    await scene.create('SandboxTemplate', 'fleeting', { image: { repository: 'ghcr.io/acme/fleeting' } });
    const made = await scene.create('Sandbox', 'survivor', { templateRef: { name: 'fleeting' } });
    const template = { namespace: scene.team, name: 'fleeting' };
    await until(async () => {
      const held = await scene.client
        .delete(SANDBOX_TEMPLATES, template, { dryRun: true })
        .catch((e: unknown) => e);
      return String(held).includes('template_in_use');
    }, 'the webhook to hear of the sandbox');
    const force = { metadata: { annotations: { 'agenttier.io/force-delete': 'true' } } };
    await scene.client.patch(SANDBOX_TEMPLATES, template, { type: 'merge', body: force });
    await scene.client.delete(SANDBOX_TEMPLATES, template);
    const warnings: string[] = [];
    await scene.change('survivor', { desiredState: 'Stopped' });
    await until(async () => {
      warnings.length = 0;
      const body = { spec: { desiredState: 'Running' } };
      const options = { dryRun: true, onWarning: (text: string) => void warnings.push(text) };
      await scene.client.patch(
        SANDBOXES,
        { namespace: scene.team, name: 'survivor' },
        { type: 'merge', body },
        options,
      );
      return warnings.length > 0;
    }, 'the webhook to hear of the deletion');
    expect(warnings[0]).toContain('fleeting');
    const resumed = await scene.change('survivor', { desiredState: 'Running' });
    expect(resumed.spec?.resolved).toEqual(made.spec?.resolved);
    const edited = await scene.change('survivor', { timeout: '1h' });
    expect(edited.spec?.resolved?.spec).toMatchObject({
      timeout: '1h',
      image: { repository: 'ghcr.io/acme/fleeting' },
    });
  });

  it('takes up a changed template at resume, unless the sandbox is pinned; a volume stays', async () => {
    const spec = (repository: string, size: string) => ({ image: { repository }, storage: { size } });
    await scene.create('SandboxTemplate', 'moving', spec('ghcr.io/acme/one', '20Gi'));
    const templateRef = { name: 'moving' };
    const names = { follows: 'OnResume', pinned: 'Pinned' };
    const image = (sandbox: Sandbox): unknown => effective(sandbox)?.image?.repository;
    for (const [name, templateUpdatePolicy] of Object.entries(names)) {
      await scene.create('Sandbox', name, { templateRef, templateUpdatePolicy });
      const status = { type: 'merge', body: { status: { pvcName: `${name}-workspace` } } } as const;
      const asOperator = { subresource: 'status', impersonate: scene.operator() } as const;
      await scene.client.patch(SANDBOXES, { namespace: scene.team, name }, status, asOperator);
    }
    await scene.client.patch(
      SANDBOX_TEMPLATES,
      { namespace: scene.team, name: 'moving' },
      { type: 'merge', body: { spec: spec('ghcr.io/acme/two', '10Gi') } },
    );
    const seen = (name: string): Promise<Sandbox> => scene.change(name, { desiredState: 'Running' });
    for (const name of Object.keys(names)) {
      const edited = await scene.change(name, { timeout: '1h' });
      expect(image(edited)).toBe('ghcr.io/acme/one');
      await scene.change(name, { desiredState: 'Stopped' });
    }
    await until(async () => {
      return (
        image(await scene.change('follows', { desiredState: 'Running' }, { dryRun: true })) ===
        'ghcr.io/acme/two'
      );
    }, 'the webhook to hear of the change');
    const follows = await seen('follows');
    expect(effective(follows)).toMatchObject(spec('ghcr.io/acme/two', '20Gi'));
    expect(follows.spec?.resolved?.origins).toMatchObject({ 'storage.size': 'volume' });
    expect(effective(await seen('pinned'))).toMatchObject(spec('ghcr.io/acme/one', '20Gi'));
  });
});
