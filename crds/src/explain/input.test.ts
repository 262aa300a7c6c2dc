// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from 'vitest';
import type { PolicySpec } from '../generated/types.ts';
import { combineViolations, inputOf, type InputObject, isLeanedOn, judgeWithInput } from './input.ts';
import { type FoundTemplate, keyText } from './judge.ts';

const object = (kind: string, name: string, spec: object, namespace?: string): InputObject => ({
  kind,
  metadata: { name, ...(namespace === undefined ? {} : { namespace }) },
  spec,
});
const image = { repository: 'ghcr.io/acme/py' };
const base = object('ClusterSandboxTemplate', 'base', { image });
const py = object('SandboxTemplate', 'py', { inheritsFrom: { name: 'base' }, timeout: '2h' }, 'team');
const sandbox = (spec: object): InputObject => object('Sandbox', 'demo', spec, 'team');

function reader(stored: Record<string, FoundTemplate['spec']>, cluster?: PolicySpec | null) {
  return {
    template: async (key: Parameters<typeof keyText>[0]) => {
      const spec = stored[keyText(key)];
      return spec && { metadata: { name: key.name }, spec };
    },
    policies: async () => (cluster === null ? undefined : { ...(cluster && { cluster: { spec: cluster } }) }),
  };
}

const judge = (of: InputObject, objects: InputObject[], at = reader({})) =>
  judgeWithInput(of, inputOf(objects), at);

describe('judgeWithInput', () => {
  it('judges a sandbox with templates of the input, up the chain', async () => {
    expect(await judge(sandbox({ templateRef: { name: 'py' } }), [base, py])).toEqual({
      violations: [],
      warnings: [],
      note: 'judged with SandboxTemplate/team/py, ClusterSandboxTemplate/base of this input',
    });
  });

  it('mixes templates of the input with those of the cluster, under its policy', async () => {
    const at = reader({ 'ClusterSandboxTemplate//base': { image } }, { maxTimeout: '1h' });
    const verdict = await judge(sandbox({ templateRef: { name: 'py' } }), [py], at);
    expect(verdict?.note).toBe('judged with SandboxTemplate/team/py of this input');
    expect(verdict?.violations.map(({ code }) => code)).toEqual(['timeout_exceeded']);
  });

  it('judges by a policy of the input instead of the stored one', async () => {
    const at = reader({ 'ClusterSandboxTemplate//base': { image, timeout: '2h' } }, { maxTimeout: '1h' });
    const policy = object('ClusterGovernancePolicy', 'default', { maxTimeout: '4h', maxCpu: '1' });
    const verdict = await judge(sandbox({ templateRef: { name: 'base' } }), [policy], at);
    expect(verdict?.violations.map(({ code }) => code)).toEqual(['cpu_limit_exceeded']);
    const elsewhere = object('GovernancePolicy', 'default', { maxCpu: '1' }, 'other');
    expect(await judge(sandbox({ templateRef: { name: 'base' } }), [elsewhere], at)).toBeUndefined();
  });

  it('says that policies could not be read', async () => {
    const verdict = await judge(sandbox({ templateRef: { name: 'base' } }), [base], reader({}, null));
    expect(verdict?.note).toMatch(/may not be read, so they were left out$/);
  });

  it('judges a template by its parents in the input, and one without parents there not at all', async () => {
    expect(await judge(py, [base, py])).toEqual({
      violations: [],
      warnings: [],
      note: 'judged with ClusterSandboxTemplate/base of this input',
    });
    expect(await judge(base, [base, py])).toBeUndefined();
    const restricted = object('ClusterSandboxTemplate', 'base', {
      image,
      allowedNamespaces: { names: ['a'] },
    });
    const child = object('ClusterSandboxTemplate', 'child', { inheritsFrom: { name: 'base' } });
    expect(await judge(child, [restricted, child])).toMatchObject({ violations: [] });
    const ring = object('ClusterSandboxTemplate', 'base', { inheritsFrom: { name: 'child' } });
    expect((await judge(child, [ring, child]))?.violations[0]).toMatchObject({
      code: 'template_cycle',
      field: 'spec.inheritsFrom.name',
    });
  });

  it('refuses what cannot be merged or compared', async () => {
    const policy = object('ClusterGovernancePolicy', 'default', { approvedRegistries: [7] });
    const verdict = await judge(sandbox({ image }), [policy]);
    expect(verdict?.violations).toHaveLength(1);
    expect(verdict?.violations[0]?.message).toMatch(/cannot be merged/);
  });

  it('leaves everything else to the cluster', async () => {
    expect(await judge(sandbox({ templateRef: { name: 'x' } }), [base])).toBeUndefined();
    expect(await judge(sandbox({}), [base])).toBeUndefined();
    expect(await judge(sandbox({ templateRef: 7 }), [base])).toBeUndefined();
    expect(await judge(object('ConfigMap', 'x', {}), [base])).toBeUndefined();
    expect(['Sandbox', 'SandboxTemplate', 'GovernancePolicy'].map(isLeanedOn)).toEqual([false, true, true]);
  });
});

describe('combineViolations', () => {
  it('takes schema, rights and quota from the cluster and the rest from here', () => {
    const ofCluster = [
      { code: 'template_not_found', field: 'spec.templateRef.name', message: 'no' },
      { code: 'FieldValueInvalid', field: 'spec.timeout', message: 'no' },
      { code: 'namespace_quota_exceeded', field: 'metadata.namespace', message: 'full' },
      { message: 'users "x" cannot create' },
    ];
    const verdict = {
      warnings: [],
      note: '',
      violations: [
        { code: 'cpu_limit_exceeded' as const, field: 'spec.resources.limits.cpu', message: 'no' },
      ],
    };
    expect(combineViolations(ofCluster, verdict).map(({ code }) => code)).toEqual([
      'FieldValueInvalid',
      'namespace_quota_exceeded',
      undefined,
      'cpu_limit_exceeded',
    ]);
  });
});
