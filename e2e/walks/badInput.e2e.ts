// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from 'vitest';
import {
  apply,
  getJson,
  minimalSandbox,
  type Outcome,
  ok,
  until,
  untilPhase,
  walkNamespace,
} from './harness.ts';

describe('bad input', () => {
  const namespace = walkNamespace('walk-bad');
  const refused = async (yaml: string): Promise<Outcome> => {
    const outcome = await apply(yaml, namespace());
    expect(outcome.code).not.toBe(0);
    return outcome;
  };

  it('invalid YAML', async () => {
    const { stderr } = await refused('apiVersion: [unclosed\nkind: Sandbox');
    expect(stderr).toMatch(/yaml|parsing/i);
  });

  it('an unknown template, with the names that come near', async () => {
    const { stderr } = await refused(minimalSandbox('x').replace('minimal-shell', 'minimal-shel'));
    expect(stderr).toContain('spec.templateRef.name');
    expect(stderr).toContain('minimal-shell');
    expect(stderr).toContain('template_not_found');
  });

  it('a template cycle', async () => {
    const template = (name: string, parent: string) => `
apiVersion: agenttier.io/v1alpha1
kind: SandboxTemplate
metadata:
  name: ${name}
spec:
  inheritsFrom:
    kind: ${parent === 'minimal-shell' ? 'ClusterSandboxTemplate' : 'SandboxTemplate'}
    name: ${parent}
`;
    await ok(apply(template('first', 'minimal-shell'), namespace()));
    await ok(apply(template('second', 'first'), namespace()));
    const { stderr } = await until('every replica to know both templates', async () => {
      const outcome = await apply(template('first', 'second'), namespace());
      return outcome.code === 0 ? undefined : outcome;
    });
    expect(stderr).toContain('spec.inheritsFrom');
    expect(stderr).toContain('template_cycle');
  });

  it('a duration that is none', async () => {
    const { stderr } = await refused(minimalSandbox('x', '  timeout: "1d"\n'));
    expect(stderr).toContain('spec.timeout');
  });

  it('a name of 300 characters', async () => {
    const { stderr } = await refused(minimalSandbox('n'.repeat(300)));
    expect(stderr).toContain('metadata.name');
  });

  it('a field that does nothing yet', async () => {
    const { stderr } = await refused(minimalSandbox('x', '  storage:\n    existingClaim: x\n'));
    expect(stderr).toContain('spec.storage.existingClaim');
    expect(stderr).toContain('field_not_supported');
  });

  it('an image that does not exist: the condition says so, and the sandbox can still be stopped', async () => {
    const image = '  image:\n    repository: localhost/agenttier/no-such-image:1\n';
    await ok(apply(minimalSandbox('no-image', image), namespace()));
    const reason = await until('a condition that names the pull', async () => {
      const object = await getJson(['sandbox', 'no-image', '-n', namespace()]);
      const condition = object.status?.conditions?.find((each: { type: string }) => each.type === 'PodReady');
      return /ErrImagePull|ImagePullBackOff/.test(condition?.reason ?? '') ? condition : undefined;
    });
    expect(reason.message).toContain('no-such-image');
  });

  it('a pull secret that does not exist: the condition names it', async () => {
    const image =
      '  image:\n    repository: localhost/agenttier/no-such-image:2\n    pullSecret: nobody-made-me\n';
    await ok(apply(minimalSandbox('no-secret', image), namespace()));
    await until('a condition that names the secret', async () => {
      const object = await getJson(['sandbox', 'no-secret', '-n', namespace()]);
      return JSON.stringify(object.status?.conditions ?? []).includes('nobody-made-me');
    });
  });

  it('none of it stopped the watch', async () => {
    await ok(apply(minimalSandbox('after'), namespace()));
    await untilPhase('after', namespace(), 'Running');
  });
});
