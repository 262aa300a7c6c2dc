// SPDX-License-Identifier: Apache-2.0
import type { Sandbox } from '@agenttier/crds/generated/types';
import { SANDBOX_TEMPLATES, SANDBOXES } from '@agenttier/crds/meta/resources';
import { until } from '@agenttier/machinery/testing/until';
import { beforeAll, describe, expect, it } from 'vitest';
import { admin, alice, bob, causes, refusal, useScene } from './envtest/scene.ts';

const scene = useScene();

const stored = (name: string): Promise<Sandbox> =>
  scene.client.get<Sandbox>(SANDBOXES, { namespace: scene.team, name });

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

  it('of a sandbox whose template is gone may stop and resume it, with a warning', async () => {
    await scene.create('SandboxTemplate', 'fleeting', { image: { repository: 'ghcr.io/acme/fleeting' } });
    const made = await scene.create('Sandbox', 'survivor', { templateRef: { name: 'fleeting' } });
    await scene.client.delete(SANDBOX_TEMPLATES, { namespace: scene.team, name: 'fleeting' });
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
  });
});
