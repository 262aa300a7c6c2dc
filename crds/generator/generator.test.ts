// SPDX-License-Identifier: Apache-2.0
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import process from 'node:process';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import type { CustomResourceDefinition, Schema } from './schema.ts';
import { rootSchema } from './schema.ts';
import { twinOf } from './twins.ts';
import { renderTypes } from './types.ts';
import { renderValidators } from './validators.ts';

const at = (path: string): string => fileURLToPath(new URL(`../${path}`, import.meta.url));
const load = (plural: string): CustomResourceDefinition =>
  parse(readFileSync(at(`agenttier.io_${plural}.yaml`), 'utf8')) as CustomResourceDefinition;

/** Properties of the spec of a kind. */
function fields(plural: string): Schema['properties'] {
  return rootSchema(load(plural)).properties?.['spec']?.properties;
}

/** A definition of a kind Thing with this spec. */
function crd(spec: Schema): CustomResourceDefinition {
  const schema = { openAPIV3Schema: { type: 'object', properties: { spec } } } as const;
  return {
    spec: {
      scope: 'Namespaced',
      names: { kind: 'Thing', plural: 'things' },
      versions: [{ name: 'v1', schema }],
    },
  };
}

/** Bounds that a schema of some shape must have: without one the cost of a CEL rule over it has no limit. */
const BOUNDS: readonly (readonly [keyof Schema, (schema: Schema) => boolean])[] = [
  ['maxLength', ({ type, enum: values }) => type === 'string' && values === undefined],
  ['maxItems', ({ type }) => type === 'array'],
  ['maxProperties', ({ additionalProperties }) => additionalProperties !== undefined],
];

function faults(schema: Schema, path: string): string[] {
  const missing = BOUNDS.filter(([bound, applies]) => applies(schema) && schema[bound] === undefined);
  const below = Object.entries(schema.properties ?? {}).flatMap(([key, value]) => {
    const unexplained = value.description === undefined ? [`${path}.${key} has no description`] : [];
    return [...unexplained, ...faults(value, `${path}.${key}`)];
  });
  return [
    ...missing.map(([bound]) => `${path} has no ${bound}`),
    ...below,
    ...(schema.items === undefined ? [] : faults(schema.items, `${path}[]`)),
    ...(schema.additionalProperties === undefined ? [] : faults(schema.additionalProperties, `${path}{}`)),
  ];
}

describe('generate.ts', () => {
  it('has nothing to write: the generated files are those of the CRD files', () => {
    const { status, stderr } = spawnSync(process.execPath, [at('generate.ts'), '--check'], {
      encoding: 'utf8',
    });
    expect(stderr).toBe('');
    expect(status).toBe(0);
  }, 60_000);

  it('makes validators that run without a library and under a strict content security policy', () => {
    const code = readFileSync(at('src/generated/validators.js'), 'utf8');
    expect(code).not.toMatch(/\brequire\(|\bimport\b|new Function|\beval\(/);
  });
});

describe('twins', () => {
  const [templates, clusterTemplates] = ['sandboxtemplates', 'clustersandboxtemplates'].map((plural) =>
    load(plural),
  );
  it('have one schema', () => {
    expect(clusterTemplates && rootSchema(clusterTemplates)).toEqual(templates && rootSchema(templates));
    expect(clusterTemplates?.spec.scope).toBe('Cluster');
  });

  it('can lack fields', () => {
    const text = readFileSync(at('agenttier.io_clustergovernancepolicies.yaml'), 'utf8');
    const twin = twinOf(text, {
      kind: 'X',
      scope: 'Namespaced',
      shortName: 'x',
      without: ['delegated', 'total'],
    });
    const spec = rootSchema(parse(twin.text) as CustomResourceDefinition).properties?.['spec'];
    expect(Object.keys(spec?.properties ?? {})).not.toContain('total');
    expect(twin.text.split('\n').slice(0, 2)).toEqual([
      '# SPDX-License-Identifier: Apache-2.0',
      expect.stringContaining('Derived by crds/generate.ts'),
    ]);
  });

  it('and what sandboxes share with templates is described by the same schema', () => {
    const shared = [
      'image',
      'resources',
      'storage',
      'network',
      'env',
      'timeout',
      'idleTimeout',
      'harness',
      'sidecars',
    ];
    for (const field of shared) {
      expect(fields('sandboxes')?.[field], field).toEqual(fields('sandboxtemplates')?.[field]);
    }
  });
});

describe('the CRD files', () => {
  it.each(['sandboxes', 'sandboxtemplates', 'clustergovernancepolicies', 'sandboxwarmpools'])(
    '%s explain every field and bound every text, list and map that users write',
    (plural) => {
      const { spec, status } = rootSchema(load(plural)).properties ?? {};
      expect([...faults(spec ?? {}, 'spec'), ...faults(status ?? {}, 'status')]).toEqual([]);
    },
  );
});

describe('renderers', () => {
  it('name nested types by their path and keep descriptions', () => {
    const types = renderTypes([
      crd({
        type: 'object',
        required: ['a'],
        properties: {
          a: {
            type: 'array',
            items: { type: 'object', properties: { b: { type: 'integer', description: 'A b.' } } },
          },
          c: { type: 'object', additionalProperties: { 'x-kubernetes-int-or-string': true } },
          d: { type: 'array', items: { type: 'string', enum: ['x', 'y'] } },
        },
      }),
    ]);
    expect(types).toContain('readonly a: readonly ThingSpecAItem[];');
    expect(types).toContain('export interface ThingSpecAItem {\n  /** A b. */\n  readonly b?: number;\n}');
    expect(types).toContain('readonly c?: Readonly<Record<string, Quantity>>;');
    expect(types).toContain("readonly d?: readonly ('x' | 'y')[];");
  });

  it('give the same text for the same input', () => {
    const thing = crd({ type: 'object', properties: { a: { type: 'string', maxLength: 3 } } });
    expect(renderValidators([thing])).toBe(renderValidators([thing]));
  });
});
