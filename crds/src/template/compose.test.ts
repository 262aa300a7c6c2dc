// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from 'vitest';
import type { TemplateSpec } from '../generated/types.ts';
import {
  composeChain,
  describeTemplate,
  MAX_CHAIN,
  type Composition,
  type TemplateLookup,
  type TemplateRef,
} from './compose.ts';

/** Templates by `ns/name`, those of the cluster by `/name`. Items come without a kind, as in lists. */
function lookupIn(templates: Readonly<Record<string, TemplateSpec>>): TemplateLookup {
  return ({ kind, namespace, name }) => {
    const spec = templates[kind === 'ClusterSandboxTemplate' ? `/${name}` : `${namespace}/${name}`];
    return spec && { metadata: { name, ...(namespace === undefined ? {} : { namespace }) }, spec };
  };
}

function compose(
  templates: Readonly<Record<string, TemplateSpec>>,
  ref: TemplateRef,
  namespace = 'a',
): Composition {
  return composeChain(ref, namespace, lookupIn(templates));
}

function names(composition: Composition): string[] {
  if (!composition.ok) throw new Error(composition.violation.message);
  return composition.chain.map((template) => describeTemplate(template));
}

function refused(composition: Composition): { code: string; field: string; message: string } {
  if (composition.ok) throw new Error('it was accepted');
  return composition.violation;
}

/** A chain of so many templates, t0 being the leaf. */
const chain = (length: number): Record<string, TemplateSpec> =>
  Object.fromEntries(
    Array.from({ length }, (_, i) => [
      `a/t${i}`,
      i + 1 < length ? { inheritsFrom: { name: `t${i + 1}` } } : {},
    ]),
  );

describe('the first template', () => {
  const both = { 'a/t': {}, '/t': {}, 'b/t': {}, '/only': {} };
  it.each<[TemplateRef, string]>([
    [{ name: 't' }, 'SandboxTemplate/a/t'],
    [{ name: 'only' }, 'ClusterSandboxTemplate/only'],
    [{ name: 't', namespace: '' }, 'SandboxTemplate/a/t'],
    [{ kind: 'SandboxTemplate', name: 't' }, 'SandboxTemplate/a/t'],
    [{ kind: 'ClusterSandboxTemplate', name: 't' }, 'ClusterSandboxTemplate/t'],
  ])('%j is %s', (ref, expected) => {
    expect(names(compose(both, ref))).toEqual([expected]);
  });

  it('that does not exist is named with everything that was looked for', () => {
    const composition = compose(both, { name: 'nope' });
    expect(refused(composition)).toMatchObject({
      code: 'template_not_found',
      field: 'spec.templateRef.name',
      message: 'template SandboxTemplate/a/nope or ClusterSandboxTemplate/nope does not exist',
      actual: 'nope',
    });
    expect(composition).toMatchObject({
      missing: { kind: 'ClusterSandboxTemplate', name: 'nope' },
      tried: [
        { kind: 'SandboxTemplate', namespace: 'a', name: 'nope' },
        { kind: 'ClusterSandboxTemplate', name: 'nope' },
      ],
    });
  });

  it('of exactly one kind does not fall back to the other', () => {
    expect(refused(compose(both, { kind: 'SandboxTemplate', name: 'only' })).code).toBe('template_not_found');
    expect(refused(compose(both, { name: 'only', namespace: 'a' })).code).toBe('template_not_found');
  });
});

describe('parents', () => {
  it('come root first', () => {
    const templates = {
      'a/leaf': { inheritsFrom: { name: 'middle' } },
      'a/middle': { inheritsFrom: { kind: 'ClusterSandboxTemplate', name: 'root' } },
      '/root': {},
    } as const;
    expect(names(compose(templates, { name: 'leaf' }))).toEqual([
      'ClusterSandboxTemplate/root',
      'SandboxTemplate/a/middle',
      'SandboxTemplate/a/leaf',
    ]);
  });

  it('without a namespace are in that of the template, not of the sandbox', () => {
    const templates = {
      'b/leaf': { inheritsFrom: { name: 'base' }, allowedNamespaces: { names: ['a'] } },
      'b/base': { allowedNamespaces: { names: ['*'] } },
      'a/base': {},
    };
    expect(names(compose(templates, { name: 'leaf', namespace: 'b' }))).toEqual([
      'SandboxTemplate/b/base',
      'SandboxTemplate/b/leaf',
    ]);
  });

  it('of a template of the cluster are of the cluster', () => {
    const implicit = { '/leaf': { inheritsFrom: { name: 'base' } }, 'a/base': {}, '/base': {} };
    expect(names(compose(implicit, { name: 'leaf' }))).toEqual([
      'ClusterSandboxTemplate/base',
      'ClusterSandboxTemplate/leaf',
    ]);
    const explicit = {
      '/leaf': { inheritsFrom: { kind: 'SandboxTemplate', name: 'base' } },
      'a/base': {},
    } as const;
    expect(refused(compose(explicit, { name: 'leaf' }))).toMatchObject({ code: 'invalid_value' });
  });

  it('that are missing are named with the child', () => {
    expect(
      refused(compose({ 'a/leaf': { inheritsFrom: { name: 'gone' } } }, { name: 'leaf' })).message,
    ).toContain(', which SandboxTemplate/a/leaf inherits from, does not exist');
  });
});

describe('circles and depth', () => {
  it.each([
    [{ 'a/x': { inheritsFrom: { name: 'x' } } }, 'SandboxTemplate/a/x -> SandboxTemplate/a/x'],
    [
      {
        'a/x': { inheritsFrom: { name: 'y' } },
        'a/y': { inheritsFrom: { kind: 'SandboxTemplate', name: 'z', namespace: 'a' } },
        'a/z': { inheritsFrom: { name: 'y' } },
      },
      'SandboxTemplate/a/y -> SandboxTemplate/a/z -> SandboxTemplate/a/y',
    ],
  ] as [Record<string, TemplateSpec>, string][])(
    'are found however the reference is written',
    (templates, loop) => {
      const violation = refused(compose(templates, { name: 'x' }));
      expect(violation.code).toBe('template_cycle');
      expect(violation.message).toContain(loop);
    },
  );

  it(`allow ${MAX_CHAIN} templates and no more`, () => {
    expect(names(compose(chain(MAX_CHAIN), { name: 't0' }))).toHaveLength(MAX_CHAIN);
    expect(refused(compose(chain(MAX_CHAIN + 1), { name: 't0' })).code).toBe('template_depth_exceeded');
  });
});

describe('other namespaces', () => {
  it.each<[string, Record<string, TemplateSpec>, TemplateRef, boolean]>([
    ['are closed', { 'b/t': {} }, { name: 't', namespace: 'b' }, false],
    [
      'are open when listed',
      { 'b/t': { allowedNamespaces: { names: ['a'] } } },
      { name: 't', namespace: 'b' },
      true,
    ],
    [
      'are open to all with *',
      { 'b/t': { allowedNamespaces: { names: ['*'] } } },
      { name: 't', namespace: 'b' },
      true,
    ],
    [
      'are closed when others are listed',
      { 'b/t': { allowedNamespaces: { names: ['c'] } } },
      { name: 't', namespace: 'b' },
      false,
    ],
    ['do not matter to a template of the cluster', { '/t': {} }, { name: 't' }, true],
    ['unless it lists some', { '/t': { allowedNamespaces: { names: ['b'] } } }, { name: 't' }, false],
    ['or lists this one', { '/t': { allowedNamespaces: { names: ['a'] } } }, { name: 't' }, true],
    // A selector cannot be judged here, so it opens nothing.
    [
      'are not opened by a selector while labels are not known',
      { '/t': { allowedNamespaces: { selector: {} } } },
      { name: 't' },
      false,
    ],
    ['never close the own one', { 'a/t': { allowedNamespaces: { names: ['b'] } } }, { name: 't' }, true],
    [
      'count for every link',
      { 'a/t': { inheritsFrom: { name: 'p', namespace: 'b' } }, 'b/p': {} },
      { name: 't' },
      false,
    ],
  ])('%s', (_, templates, ref, admitted) => {
    const composition = compose(templates, ref);
    expect(composition.ok).toBe(admitted);
    if (!composition.ok) expect(composition.violation.code).toBe('template_not_allowed');
  });
});
