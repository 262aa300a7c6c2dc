// SPDX-License-Identifier: Apache-2.0
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { SPEC_FIELDS } from '../generated/schemas.ts';
import type { TemplateSpec } from '../generated/types.ts';
import { EMPTY_LAYER, fillFrom, readLayer, render, stack, type Layer } from './layer.ts';
import { MERGE_RULES, SANDBOX_ONLY_FIELDS, TEMPLATE_ONLY_FIELDS } from './rules.ts';

const merge = (...specs: TemplateSpec[]): ReturnType<typeof render> =>
  render(specs.map((spec, i) => readLayer(spec, `L${i}`)).reduce(stack, EMPTY_LAYER));

describe('one row per strategy', () => {
  const cases: { name: string; layers: TemplateSpec[]; spec: object; origins: Record<string, string> }[] = [
    {
      name: 'a value of a later layer wins',
      layers: [{ runtimeClass: 'a', timeout: '1h' }, { runtimeClass: 'b' }],
      spec: { runtimeClass: 'b', timeout: '1h' },
      origins: { runtimeClass: 'L1', timeout: 'L0' },
    },
    {
      name: 'image fields are merged one by one',
      layers: [{ image: { repository: 'nginx', pullSecret: 's' } }, { image: { pullPolicy: 'Always' } }],
      spec: { image: { repository: 'nginx', pullSecret: 's', pullPolicy: 'Always' } },
      origins: { 'image.repository': 'L0', 'image.pullSecret': 'L0', 'image.pullPolicy': 'L1' },
    },
    {
      name: 'a new repository drops the old tag',
      layers: [{ image: { repository: 'nginx', tag: '1' } }, { image: { repository: 'redis' } }],
      spec: { image: { repository: 'redis' } },
      origins: { 'image.repository': 'L1' },
    },
    {
      name: 'a new tag keeps the repository',
      layers: [{ image: { repository: 'nginx', tag: '1' } }, { image: { tag: '2' } }],
      spec: { image: { repository: 'nginx', tag: '2' } },
      origins: { 'image.repository': 'L0', 'image.tag': 'L1' },
    },
    {
      name: 'resources are merged by key',
      layers: [
        { resources: { requests: { cpu: '1' }, limits: { cpu: '2', memory: '1Gi' } } },
        { resources: { limits: { memory: '2Gi', 'nvidia.com/gpu': 1 } } },
      ],
      spec: {
        resources: { requests: { cpu: '1' }, limits: { cpu: '2', memory: '2Gi', 'nvidia.com/gpu': 1 } },
      },
      origins: {
        'resources.requests.cpu': 'L0',
        'resources.limits.cpu': 'L0',
        'resources.limits.memory': 'L1',
        'resources.limits[nvidia.com/gpu]': 'L1',
      },
    },
    {
      name: 'an empty map forgets what lies below',
      layers: [{ resources: { limits: { cpu: '2' } } }, { resources: { limits: {} } }],
      spec: {},
      origins: {},
    },
    {
      name: 'variables are merged by name, in the order in which they were first seen',
      layers: [
        {
          env: [
            { name: 'A', value: '1' },
            { name: 'B', value: '1' },
          ],
        },
        {
          env: [
            { name: 'C', value: '2' },
            { name: 'A', value: '2' },
          ],
        },
      ],
      spec: {
        env: [
          { name: 'A', value: '2' },
          { name: 'B', value: '1' },
          { name: 'C', value: '2' },
        ],
      },
      origins: { 'env[A]': 'L1', 'env[B]': 'L0', 'env[C]': 'L1' },
    },
    {
      name: 'an empty list forgets what lies below, and a later layer starts anew',
      layers: [{ env: [{ name: 'A', value: '1' }] }, { env: [] }, { env: [{ name: 'B', value: '2' }] }],
      spec: { env: [{ name: 'B', value: '2' }] },
      origins: { 'env[B]': 'L2' },
    },
    {
      name: 'a variable that is set again loses its source',
      layers: [
        { env: [{ name: 'A', valueFrom: { fieldRef: { fieldPath: 'status.podIP' } } }] },
        { env: [{ name: 'A', value: 'x' }] },
      ],
      spec: { env: [{ name: 'A', value: 'x' }] },
      origins: { 'env[A]': 'L1' },
    },
    {
      name: 'rules of the network are replaced as a list, switches one by one',
      layers: [
        { network: { allowInternet: true, egressRules: [{ cidr: '10.0.0.0/8' }] } },
        { network: { egressRules: [{ cidr: '10.1.0.0/16' }] } },
      ],
      spec: { network: { allowInternet: true, egressRules: [{ cidr: '10.1.0.0/16' }] } },
      origins: { 'network.allowInternet': 'L0', 'network.egressRules': 'L1' },
    },
    {
      name: 'an empty network says nothing',
      layers: [{ network: { allowInternet: true } }, { network: {} }],
      spec: { network: { allowInternet: true } },
      origins: { 'network.allowInternet': 'L0' },
    },
    {
      name: 'false is a value',
      layers: [{ network: { allowInternet: true } }, { network: { allowInternet: false } }],
      spec: { network: { allowInternet: false } },
      origins: { 'network.allowInternet': 'L1' },
    },
    {
      name: 'command and args go together',
      layers: [
        { harness: { command: ['a'], args: ['b'], shell: '/bin/sh' } },
        { harness: { command: ['c'] } },
      ],
      spec: { harness: { command: ['c'], shell: '/bin/sh' } },
      origins: { 'harness.command': 'L1', 'harness.shell': 'L0' },
    },
    {
      name: 'args alone drop the command',
      layers: [{ harness: { command: ['a'], args: ['b'] } }, { harness: { args: ['c'] } }],
      spec: { harness: { args: ['c'] } },
      origins: { 'harness.args': 'L1' },
    },
    {
      name: 'an empty text unsets',
      layers: [{ storage: { storageClass: 'fast', size: '1Gi' } }, { storage: { storageClass: '' } }],
      spec: { storage: { size: '1Gi' } },
      origins: { 'storage.size': 'L0' },
    },
    {
      name: 'an empty selector is a selector',
      layers: [
        { network: { peerSandboxSelector: { matchLabels: { a: 'b' } } } },
        { network: { peerSandboxSelector: {} } },
      ],
      spec: { network: { peerSandboxSelector: {} } },
      origins: { 'network.peerSandboxSelector': 'L1' },
    },
    {
      name: 'scripts are appended',
      layers: [{ initScripts: ['a'] }, { initScripts: ['b', 'c'] }],
      spec: { initScripts: ['a', 'b', 'c'] },
      origins: { 'initScripts[0]': 'L0', 'initScripts[1]': 'L1', 'initScripts[2]': 'L1' },
    },
    {
      name: 'a Secret can be there once in each way',
      layers: [
        { credentials: [{ secretName: 's' }, { secretName: 's', mountAs: 'file', mountPath: '/a' }] },
        { credentials: [{ secretName: 's', mountAs: 'file', mountPath: '/b' }] },
      ],
      spec: {
        credentials: [
          { secretName: 's' },
          { secretName: 's', mountAs: 'file', mountPath: '/a' },
          { secretName: 's', mountAs: 'file', mountPath: '/b' },
        ],
      },
      origins: { 'credentials[s]': 'L0', 'credentials[s,file,/a]': 'L0', 'credentials[s,file,/b]': 'L1' },
    },
  ];

  it.each(cases)('$name', ({ layers, spec, origins }) => {
    expect(merge(...layers)).toEqual({ spec, origins });
  });
});

describe('defaults', () => {
  const defaults = readLayer(
    { resources: { limits: { cpu: '2', memory: '4Gi' } }, runtimeClass: 'runc' },
    'default',
  );
  const over = (spec: TemplateSpec): ReturnType<typeof render> =>
    render(fillFrom(defaults, readLayer(spec, 'L')));

  it('fill what is absent, by key', () => {
    expect(over({ resources: { limits: { cpu: '1' } } })).toEqual({
      spec: { resources: { limits: { cpu: '1', memory: '4Gi' } }, runtimeClass: 'runc' },
      origins: { 'resources.limits.cpu': 'L', 'resources.limits.memory': 'default', runtimeClass: 'default' },
    });
  });

  it('also fill what was explicitly emptied, so that no pod is without limits', () => {
    expect(over({ resources: { limits: {} }, runtimeClass: '' }).spec).toEqual({
      resources: { limits: { cpu: '2', memory: '4Gi' } },
      runtimeClass: 'runc',
    });
  });
});

const name = fc.constantFrom('a', 'b', 'c');
const text = fc.constantFrom('', 'x', 'y');
const spec: fc.Arbitrary<TemplateSpec> = fc.record(
  {
    image: fc.record({ repository: text, tag: text, pullSecret: text }, { requiredKeys: [] }),
    resources: fc.record(
      { requests: fc.dictionary(name, text), limits: fc.dictionary(name, text) },
      { requiredKeys: [] },
    ),
    network: fc.record(
      { allowInternet: fc.boolean(), egressRules: fc.array(fc.record({ cidr: text }), { maxLength: 2 }) },
      { requiredKeys: [] },
    ),
    env: fc.uniqueArray(fc.record({ name, value: text }), { selector: (item) => item.name, maxLength: 3 }),
    harness: fc.record(
      { command: fc.array(text, { maxLength: 2 }), args: fc.array(text, { maxLength: 2 }), shell: text },
      { requiredKeys: [] },
    ),
    initScripts: fc.array(text, { maxLength: 2 }),
    runtimeClass: text,
  },
  { requiredKeys: [] },
);
const layer: fc.Arbitrary<Layer> = fc
  .tuple(spec, fc.constantFrom('L1', 'L2', 'L3'))
  .map(([value, origin]) => readLayer(value, origin));

describe('laws', () => {
  it('layers can be grouped in any way', () => {
    fc.assert(
      fc.property(layer, layer, layer, (a, b, c) => {
        expect(render(stack(stack(a, b), c))).toEqual(render(stack(a, stack(b, c))));
      }),
    );
  });

  it('an empty layer changes nothing', () => {
    fc.assert(
      fc.property(layer, (a) => {
        expect(render(stack(a, EMPTY_LAYER))).toEqual(render(a));
        expect(render(stack(EMPTY_LAYER, a))).toEqual(render(a));
      }),
    );
  });

  it('what was merged merges to itself', () => {
    fc.assert(
      fc.property(fc.array(layer, { maxLength: 4 }), (layers) => {
        const once = render(layers.reduce(stack, EMPTY_LAYER)).spec;
        expect(render(readLayer(once, 'again')).spec).toEqual(once);
      }),
    );
  });

  it('a layer over itself is itself, appended lists apart', () => {
    fc.assert(
      fc.property(spec, (value) => {
        const a = readLayer({ ...value, initScripts: [] }, 'L');
        expect(render(stack(a, a))).toEqual(render(a));
      }),
    );
  });

  it('no input is changed', () => {
    fc.assert(
      fc.property(spec, spec, (a, b) => {
        const before = JSON.stringify([a, b]);
        merge(a, b);
        expect(JSON.stringify([a, b])).toBe(before);
      }),
    );
  });
});

/** Whether a path is that of the field or of something above it. */
const covers = (path: string, field: string): boolean =>
  field === path || ['.', '[', '{'].some((next) => field.startsWith(path + next));

describe('the table', () => {
  it.each([
    ['SandboxTemplate', SPEC_FIELDS.SandboxTemplate, TEMPLATE_ONLY_FIELDS],
    ['Sandbox', SPEC_FIELDS.Sandbox, SANDBOX_ONLY_FIELDS],
  ] as const)('has exactly one rule for each field of a %s', (_, fields, only) => {
    const merged = fields.filter((field) => !only.some((path) => covers(path, field)));
    const wrong = merged.filter(
      (field) => MERGE_RULES.filter(({ path }) => covers(path, field)).length !== 1,
    );
    expect(wrong).toEqual([]);
  });

  it('has a rule for nothing else', () => {
    const unknown = MERGE_RULES.filter(
      ({ path }) => !SPEC_FIELDS.SandboxTemplate.some((field) => covers(path, field)),
    );
    expect(unknown).toEqual([]);
  });
});
