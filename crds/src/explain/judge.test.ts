// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from 'vitest';
import type { Sandbox, TemplateSpec } from '../generated/types.ts';
import { type FoundTemplate, judgeSandbox, judgeTemplate, keyText, loadChain } from './judge.ts';

const template = (name: string, spec: TemplateSpec, namespace?: string): [string, FoundTemplate] => {
  const kind = namespace === undefined ? 'ClusterSandboxTemplate' : 'SandboxTemplate';
  const place = namespace === undefined ? {} : { namespace };
  return [keyText({ kind, name, ...place }), { metadata: { name, ...place }, spec }];
};
const image = { repository: 'ghcr.io/acme/py' };
const sandbox = (spec: object): Sandbox => ({ metadata: { name: 'demo', namespace: 'team' }, spec });

describe('loadChain', () => {
  const own = new Map([template('py', { inheritsFrom: { name: 'base' } }, 'team')]);
  const stored = new Map([template('base', { image }), template('py', { image: { repository: 'old' } })]);
  const source = {
    own: (key: Parameters<typeof keyText>[0]) => own.get(keyText(key)),
    read: async (key: Parameters<typeof keyText>[0]) => stored.get(keyText(key)),
  };

  it('prefers the templates of the input and tells which took part', async () => {
    const { composition, used } = await loadChain({ name: 'py' }, 'team', source);
    expect(composition.ok && composition.chain.map(({ metadata }) => metadata.name)).toEqual(['base', 'py']);
    expect(used.map(keyText)).toEqual(['SandboxTemplate/team/py']);
  });

  it('reads the cluster where the input has none', async () => {
    const { composition, used } = await loadChain({ name: 'py' }, 'other', source);
    expect(composition.ok && composition.chain[0]?.spec.image?.repository).toBe('old');
    expect(used).toEqual([]);
    const missing = await loadChain({ name: 'nope' }, 'team', source);
    expect(missing.composition).toMatchObject({ ok: false, violation: { code: 'template_not_found' } });
  });
});

describe('judgeSandbox', () => {
  const chain = {
    ok: true as const,
    chain: [{ kind: 'ClusterSandboxTemplate' as const, metadata: { name: 'py' }, spec: { image } }],
  };
  const ref = { templateRef: { name: 'py' } };

  it('clamps and allows', () => {
    expect(judgeSandbox(sandbox(ref), { namespace: 'team', chain, cluster: { maxTimeout: '8h' } })).toEqual({
      violations: [],
      warnings: ['spec.timeout was not set and is now 8h, the maximum of the cluster policy'],
    });
  });

  it('finds what is wrong with the object, with the merge and by policy, once each', () => {
    const { violations } = judgeSandbox(
      sandbox({
        ...ref,
        timeout: '1d',
        resources: { limits: { cpu: '8' } },
        ports: [{ port: 80, public: true }],
      }),
      { namespace: 'team', chain, cluster: { maxCpu: '4' }, local: { approvedRegistries: ['quay.io'] } },
    );
    expect(violations.map(({ code, field }) => `${code} ${field}`).toSorted()).toEqual([
      'cpu_limit_exceeded spec.resources.limits.cpu',
      'field_not_supported spec.ports[0].public',
      'image_registry_not_approved spec.image.repository',
      'invalid_value spec.timeout',
    ]);
  });

  it('says that the chain is broken and nothing about a merge that there is not', async () => {
    const { composition } = await loadChain({ name: 'nope' }, 'team', {
      own: () => undefined,
      read: async () => undefined,
    });
    const { violations } = judgeSandbox(sandbox({ templateRef: { name: 'nope' } }), {
      namespace: 'team',
      chain: composition,
    });
    expect(violations.map(({ code }) => code)).toEqual(['template_not_found']);
  });
});

describe('judgeTemplate', () => {
  it('names the parent as the field', async () => {
    const { composition } = await loadChain({ name: 'nope' }, 'team', {
      own: () => undefined,
      read: async () => undefined,
    });
    const { violations } = judgeTemplate(
      { kind: 'ClusterSandboxTemplate', spec: { inheritsFrom: { name: 'nope' }, timeout: '1d' } },
      composition,
    );
    expect(violations.map(({ code, field }) => `${code} ${field}`)).toEqual([
      'invalid_value spec.timeout',
      'template_not_found spec.inheritsFrom.name',
    ]);
  });
});
