// SPDX-License-Identifier: Apache-2.0
import type { Sandbox } from '@agenttier/crds/generated/types';
import { FIELD_MANAGER_OPERATOR } from '@agenttier/crds/meta/labels';
import { SANDBOX_TEMPLATES, SANDBOXES } from '@agenttier/crds/meta/resources';
import { until } from '@agenttier/machinery/testing/until';
import { expect, it } from 'vitest';
import { useScene } from './envtest/scene.ts';

const scene = useScene();
const ROUNDS = 50;

/** Without what every write moves. */
function content({ metadata, ...rest }: Sandbox): unknown {
  const { managedFields: _fields, resourceVersion: _version, ...kept } = metadata;
  return { ...rest, metadata: kept };
}

it('a GitOps controller that applies again and again changes nothing and fights with nobody', async () => {
  await scene.create('SandboxTemplate', 'stack', { image: { repository: 'ghcr.io/acme/v0' } });
  const manifest = scene.manifest('Sandbox', 'synced', {
    templateRef: { name: 'stack' },
    env: [{ name: 'A', value: '1' }],
    timeout: '1h',
  });
  const key = { namespace: scene.team, name: 'synced' };
  const template = { namespace: scene.team, name: 'stack' };
  const apply = (dryRun: boolean): Promise<Sandbox> =>
    scene.client.apply<Sandbox>(SANDBOXES, manifest, { fieldManager: 'gitops', dryRun });
  const first = await apply(false);
  for (let round = 1; round <= ROUNDS; round++) {
    const asOperator = { fieldManager: FIELD_MANAGER_OPERATOR, impersonate: scene.operator() };
    const edits = [
      { body: { status: { phase: 'Running', message: `round ${round}` } }, subresource: 'status' } as const,
      { body: { metadata: { annotations: { 'agenttier.io/seen': `${round}` } } } },
    ];
    for (const { body, ...rest } of edits) {
      await scene.client.patch(SANDBOXES, key, { type: 'merge', body }, { ...asOperator, ...rest });
    }
    if (round % 10 === 0) {
      const body = { spec: { image: { repository: `ghcr.io/acme/v${round}` } } };
      await scene.client.patch(SANDBOX_TEMPLATES, template, { type: 'merge', body });
    }
    const live = await scene.client.get<Sandbox>(SANDBOXES, key);
    // What kubectl diff compares: the live object with the outcome of a dry run.
    expect(content(await apply(true)), `diff in round ${round}`).toEqual(content(live));
    const applied = await apply(false);
    expect(applied.metadata.resourceVersion, `write in round ${round}`).toBe(live.metadata.resourceVersion);
  }
  const last = await scene.client.get<Sandbox>(SANDBOXES, key);
  expect(last.metadata.generation).toBe(first.metadata.generation);
  expect(last.spec).toEqual(first.spec);
  expect(last.metadata.annotations).toMatchObject({ 'agenttier.io/seen': `${ROUNDS}` });
});

it('a field that it takes out of the manifest goes back to the template', async () => {
  await scene.create('SandboxTemplate', 'longer', { image: { repository: 'ghcr.io/acme/x' }, timeout: '8h' });
  const apply = (spec: object): Promise<Sandbox> => {
    const body = scene.manifest('Sandbox', 'shorter', { templateRef: { name: 'longer' }, ...spec });
    return scene.client.apply<Sandbox>(SANDBOXES, body, { fieldManager: 'gitops' });
  };
  expect((await apply({ timeout: '1h' })).spec?.resolved?.spec?.timeout).toBe('1h');
  const template = { namespace: scene.team, name: 'longer' };
  const body = { metadata: { annotations: { 'agenttier.io/force-delete': 'true' } } };
  await scene.client.patch(SANDBOX_TEMPLATES, template, { type: 'merge', body });
  await until(
    () =>
      scene.client.delete(SANDBOX_TEMPLATES, template).then(
        () => true,
        () => false,
      ),
    'the template to be deleted',
  );
  const after = await apply({});
  expect(after.spec?.timeout).toBeUndefined();
  expect(after.spec?.resolved?.spec?.timeout, 'although the template is gone').toBe('8h');
});
