// SPDX-License-Identifier: Apache-2.0
import { LABEL_CREDENTIAL } from '@agenttier/crds/meta/labels';
import { SECRETS } from '@agenttier/machinery/kube/resource';
import type { KubeObject } from '@agenttier/machinery/kube/resource';
import { describe, expect, it } from 'vitest';
import { alice, useScene } from './envtest/scene.ts';

const scene = useScene();

/** What one file can have, and a template's object still carries. */
const LARGE = 'x'.repeat(1_000_000);

const create = (name: string, spec: object): Promise<KubeObject> =>
  scene.create('Sandbox', name, scene.spec(spec), { impersonate: alice });

/** The fields that the API server's answer blames; none when it said yes. */
async function refusals(attempt: Promise<KubeObject>): Promise<string[]> {
  try {
    await attempt;
    return [];
  } catch (error) {
    const { body } = error as { body?: { details?: { causes?: { field?: string }[] } } };
    return (body?.details?.causes ?? []).map(({ field }) => field ?? '');
  }
}

describe('a sandbox with a harness', () => {
  it('joins its own files, scripts and hooks to those of its template', async () => {
    const { base } = scene;
    const inherited = {
      inheritsFrom: { kind: 'ClusterSandboxTemplate', name: base },
      files: [
        { path: 'a', content: 'template' },
        { path: 'b', content: 'template' },
      ],
      initScripts: ['echo template'],
      harness: { hooks: { onStart: 'echo template', onStop: 'echo template' } },
    };
    await scene.create('SandboxTemplate', 'equipped', inherited);
    const own = {
      templateRef: { kind: 'SandboxTemplate', name: 'equipped' },
      files: [{ path: 'a', content: 'own' }],
      initScripts: ['echo own'],
      runInitScripts: 'Always',
      harness: { hooks: { onStart: 'echo own' } },
    };
    const { spec } = await scene.create('Sandbox', 'joined', own, { impersonate: alice });
    expect(spec?.resolved?.spec).toMatchObject({
      files: [
        { path: 'a', content: 'own' },
        { path: 'b', content: 'template' },
      ],
      initScripts: ['echo template', 'echo own'],
      runInitScripts: 'Always',
      harness: { hooks: { onStart: 'echo own', onStop: 'echo template' } },
    });
  });

  it('carries a file of nearly 1 MiB from a template, and is told where more belongs', async () => {
    const { base } = scene;
    const large = {
      inheritsFrom: { kind: 'ClusterSandboxTemplate', name: base },
      files: [{ path: 'l', content: LARGE }],
    };
    await scene.create('SandboxTemplate', 'large', large);
    const ref = { templateRef: { kind: 'SandboxTemplate', name: 'large' } };
    const stored = await scene.create('Sandbox', 'large', ref, { impersonate: alice });
    expect(stored.spec?.resolved?.spec?.files?.[0]?.content).toHaveLength(LARGE.length);
    const more = { ...ref, files: [{ path: 'm', content: LARGE.slice(0, 400_000) }] };
    await expect(scene.create('Sandbox', 'larger', more, { impersonate: alice })).rejects.toThrow(
      /configMapRef or secretRef/,
    );
  });

  it('gets files and texts only from Secrets that are for sandboxes', async () => {
    for (const [name, labels] of [
      ['offered', { [LABEL_CREDENTIAL]: 'true' }],
      ['private', {}],
    ] as const) {
      const body = { metadata: { name, namespace: scene.team, labels }, data: {} };
      await scene.client.create<KubeObject>(SECRETS, scene.team, body);
    }
    const from = (name: string) => ({ secretRef: { name, key: 'k' } });
    const spec = (name: string) => ({
      files: [{ path: 'a', ...from(name) }],
      harness: { systemPrompt: from(name), skills: [{ name: 's', content: from(name) }] },
    });
    expect(await refusals(create('with-offered', spec('offered')))).toEqual([]);
    expect(await refusals(create('with-private', spec('private')))).toEqual([
      'spec.files[0].secretRef.name',
      'spec.harness.systemPrompt.secretRef.name',
      'spec.harness.skills[0].content.secretRef.name',
    ]);
    const plan = spec('other-plan-0123456789');
    expect(await refusals(create('with-plan', plan))).toContain('spec.files[0].secretRef.name');
  });

  it('is refused with paths that are not its own, and with what nothing could enforce', async () => {
    const spec = {
      files: [
        { path: '../up', content: '' },
        { path: '/proc/x', content: '' },
        { path: '.agenttier/state/files.json', content: '' },
        { path: 'two', content: '', secretRef: { name: 's', key: 'k' } },
      ],
      harness: {
        constraints: {
          maxCommandTimeout: '10ms',
          restrictedCommands: ['rm'],
          deniedNetworkDests: ['example.com'],
        },
      },
    };
    const fields = await refusals(create('bad', spec));
    for (const field of [
      'spec.files[0].path',
      'spec.files[1].path',
      'spec.files[2].path',
      'spec.files[3]',
      'spec.harness.constraints.restrictedCommands',
      'spec.harness.constraints.deniedNetworkDests',
    ]) {
      expect(fields).toContain(field);
    }
  });
});
