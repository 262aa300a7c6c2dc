// SPDX-License-Identifier: Apache-2.0
import type { GovernancePolicy, Sandbox } from '@agenttier/crds/generated/types';
import { actorDigest } from '@agenttier/crds/sandbox/agentConfig';
import { GOVERNANCE_POLICIES, SANDBOXES } from '@agenttier/crds/meta/resources';
import { freshNamespace } from '@agenttier/e2e/envtest/server';
import { until } from '@agenttier/machinery/testing/until';
import { beforeAll, describe, expect, it } from 'vitest';
import { alice, bob, causes, refusal, useScene } from './envtest/scene.ts';

const scene = useScene();
let template: string;
let namespace: string;

const ref = (): object => ({ templateRef: { kind: 'ClusterSandboxTemplate', name: template } });
const CONFIG = { agentConfig: { entrypoint: ['python', 'agent.py'] } };

/** A policy in the namespace, counted as the operator would. */
async function policy(spec: object, agentSandboxes: number): Promise<void> {
  const key = { namespace, name: 'default' };
  await scene.client.delete(GOVERNANCE_POLICIES, key).catch(() => undefined);
  await scene.create<GovernancePolicy>('GovernancePolicy', 'default', spec, { namespace });
  const body = { status: { used: { sandboxes: agentSandboxes, agentSandboxes }, reservations: {} } };
  await scene.client.patch(GOVERNANCE_POLICIES, key, { type: 'merge', body }, { subresource: 'status' });
}

beforeAll(async () => {
  namespace = await freshNamespace('agents');
  template = `agent-${namespace}`;
  await scene.create('ClusterSandboxTemplate', template, {
    mode: 'agent',
    image: { repository: 'ghcr.io/acme/agent' },
    harness: { agent: { entrypoint: ['run'], maxConcurrentInvokes: 8 } },
  });
});

describe('an agent template', () => {
  it('makes an agent of a sandbox that only names it, with the resolved spec to see', async () => {
    const made = await scene.create('Sandbox', 'plain', ref(), { namespace });
    expect(made.spec?.resolved?.spec).toMatchObject({
      mode: 'agent',
      harness: { agent: { entrypoint: ['run'], maxConcurrentInvokes: 8 } },
    });
    const change = scene.change('plain', { mode: 'code' }, { namespace });
    expect((await refusal(change)).status).toBe(422);
  });
});

describe('configuring', () => {
  it('is written down with who did it, by kubectl as by a person behind the router', async () => {
    const made = await scene.change('plain', CONFIG, { namespace });
    expect(made.spec?.agentConfig?.configuredBy).toMatch(/^[0-9a-f]{16}$/);
    await scene.create('Sandbox', 'owned', ref(), { namespace, impersonate: alice });
    const owned = await scene.change('owned', CONFIG, { namespace, impersonate: alice });
    expect(owned.spec?.agentConfig?.configuredBy).toBe(actorDigest('alice'));
    const foreign = await refusal(scene.change('owned', CONFIG_OF_BOB, { namespace, impersonate: bob }));
    expect([foreign.status, causes(foreign)]).toEqual([403, ['spec.agentConfig not_owner']]);
  });

  it('is refused once the policy is tightened, for everybody, with all that is wrong', async () => {
    await policy({ allowedAgentImages: ['quay.io/agents'], maxConcurrentInvokesPerSandbox: 2 }, 2);
    const other = { agentConfig: { entrypoint: ['other'], files: [LARGE] } };
    const attempts = [{ namespace, impersonate: alice }, { namespace }];
    for (const options of attempts) {
      await until(async () => {
        const error = await refusal(scene.change('owned', other, { ...options, dryRun: true }));
        return causes(error).length > 1;
      }, 'the policy to be known');
      const error = await refusal(scene.change('owned', other, options));
      expect(error.status).toBe(403);
      expect(causes(error).toSorted()).toEqual([
        'spec.agentConfig.files[0].size agent_files_exceeded',
        'spec.image.repository agent_image_not_approved',
      ]);
    }
    const stored = await scene.client.get<Sandbox>(SANDBOXES, { namespace, name: 'owned' });
    expect(stored.spec?.agentConfig?.entrypoint).toEqual(['python', 'agent.py']);
    const edited = await scene.change('owned', { timeout: '1h' }, { namespace, impersonate: alice });
    expect(edited.spec?.resolved?.spec?.harness?.agent?.maxConcurrentInvokes).toBe(2);
  });
});

describe('a cap on agents', () => {
  it('holds exactly under many creates, and does not concern sandboxes for code', async () => {
    await policy({ maxAgentSandboxes: 5 }, 2);
    await until(async () => {
      const probe = scene.create('Sandbox', 'probe', ref(), { namespace, dryRun: true });
      return probe.then(
        () => true,
        () => false,
      );
    }, 'the new policy to be known');
    const made = await Promise.allSettled(
      Array.from({ length: 20 }, (_, i) => scene.create('Sandbox', `agent-${i}`, ref(), { namespace })),
    );
    expect(made.filter(({ status }) => status === 'fulfilled')).toHaveLength(3);
    const refused = made.filter((one) => one.status === 'rejected').map(({ reason }) => String(reason));
    expect(refused.every((text) => text.includes('agent sandboxes'))).toBe(true);
    await scene.create('Sandbox', 'code', scene.spec(), { namespace });
  });
});

const CONFIG_OF_BOB = { agentConfig: { entrypoint: ['mine'] } };
const LARGE = { path: '/workspace/model.bin', size: 64 * 1024 * 1024, sha256: 'a'.repeat(64) };
