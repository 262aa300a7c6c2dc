// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from 'vitest';
import { freePorts } from '../../e2e/envtest/processes.ts';
import { postReview } from './envtest/registration.ts';
import { OWN_RULES, readyCode, useScene } from './envtest/scene.ts';

const scene = useScene();

describe('the process', () => {
  it('serves the same authority from every replica', async () => {
    const ca = await scene.authority();
    const review = {
      uid: 'direct',
      kind: { group: 'agenttier.io', version: 'v1alpha1', kind: 'SandboxWarmPool' },
      operation: 'DELETE',
      userInfo: {},
    };
    for (const webhook of scene.replicas) {
      const { response } = await postReview(webhook.webhookPort, '/validate/warmpools', ca, review);
      expect(response).toEqual({ uid: 'direct', allowed: true });
    }
  });

  it('refuses everything while it cannot read policies, and is not ready', async () => {
    const [port = 0] = await freePorts(1);
    const templatesOnly = OWN_RULES.map((rule) => ({
      ...rule,
      resources: rule.resources.filter((resource) => !resource.includes('policies')),
    })).filter((rule) => rule.resources.length > 0);
    const blind = await scene.start('blind', templatesOnly, port);
    const object = scene.manifest('Sandbox', 'dark', scene.spec(), scene.team);
    const review = {
      uid: 'dark',
      kind: { group: 'agenttier.io', version: 'v1alpha1', kind: 'Sandbox' },
      operation: 'CREATE',
      namespace: scene.team,
      name: 'dark',
      userInfo: { username: 'someone' },
      object,
    };
    const { response } = await postReview(port, '/validate/sandboxes', await scene.authority(), review);
    expect(response.allowed).toBe(false);
    expect(response.status?.details?.causes.map((cause) => cause.reason)).toContain('policy_unavailable');
    expect(await readyCode(blind)).toBe(503);
  });

  it('tells what it did', async () => {
    const text = await (await fetch(`http://127.0.0.1:${scene.replicas[0]?.healthPort}/metrics`)).text();
    expect(text).toMatch(/agenttier_admission_requests_total\{webhook="mutate.templates"/);
    expect(text).toMatch(/agenttier_certificate_expiry_seconds\{certificate="leaf"/);
  });
});
