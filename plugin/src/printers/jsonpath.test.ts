// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from 'vitest';
import { renderJsonPath } from './jsonpath.ts';

const pod = {
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name: 'demo', labels: { a: 'x', 'b.c/d': 'why' }, annotations: { empty: null } },
  spec: {
    containers: [
      { name: 'c1', image: 'i1', ports: [{ containerPort: 80 }, { containerPort: 81 }] },
      { name: 'c2', image: 'i2' },
      { name: 'c3', image: 'i3' },
    ],
    hostNetwork: true,
    terminationGracePeriodSeconds: 30,
  },
};

/** Every expectation is what kubectl 1.32 prints for this object. */
const rows: readonly [template: string, printed: string][] = [
  ['{.metadata.name}', 'demo'],
  ['{ .metadata.name }', 'demo'],
  ['.metadata.name', '.metadata.name'],
  ['{@.kind}{$.kind}', 'PodPod'],
  ['{.spec.containers[*].name}', 'c1 c2 c3'],
  ['{range .spec.containers[*]}{.name}{"\\t"}{.image}{"\\n"}{end}', 'c1\ti1\nc2\ti2\nc3\ti3\n'],
  ['{range .spec.containers[*]}{range .ports[*]}{.containerPort},{end};{end}', '80,81,;;;'],
  ['{range .spec.containers[*]}{@.name}{$.kind}{end}', 'c1c2c3'],
  ['{range .spec.containers[*]}{..containerPort} {end}', '80 81   '],
  ['{range .metadata.name}[{@}]{end}', '[demo]'],
  ['{range .missing[*]}x{end}', ''],
  ['{.spec.containers[-1].name}', 'c3'],
  ['{.spec.containers[-1:].name}', 'c3'],
  ['{.spec.containers[0:2].name}', 'c1 c2'],
  ['{.spec.containers[0:-1].name}', 'c1 c2'],
  ['{.spec.containers[0:3:2].name}', 'c1 c3'],
  ['{.spec.containers[::2].name}', 'c1 c3'],
  ['{.spec.containers[0,2].name}', 'c1 c3'],
  ['{.metadata.labels.b\\.c/d}', 'why'],
  ["{.metadata.labels['b\\.c/d']}", 'why'],
  ["{.metadata['name']}", 'demo'],
  ["{['metadata.name','kind']}", 'demo Pod'],
  ["{.spec['hostNetwork','nope','terminationGracePeriodSeconds']}", 'true 30'],
  ["{.spec.containers[*]['name','image']}", 'c1 c2 c3 i1 i2 i3'],
  ['{.spec.containers[?(@.name=="c2")].image}', 'i2'],
  ["{.spec.containers[?(@.name=='c1')].name}", 'c1'],
  ['{.spec.containers[?("c1"==@.name)].image}', 'i1'],
  ['{.spec.containers[?(@.name!="c2")].image}', 'i1 i3'],
  ['{.spec.containers[?(@.ports)].name}', 'c1'],
  ['{.spec.containers[?(@.ports[0].containerPort>=80)].name}', 'c1'],
  ['{.spec.containers[?(@.name=="c1")].ports[?(@.containerPort==81)].containerPort}', '81'],
  ['{.spec.containers[?(@.missing==1)].name}', ''],
  ['{range .spec.containers[?(@.name>"c1")]}{.name}{end}', 'c2c3'],
  ['{.spec.containers[0]..containerPort}', '80 81'],
  ['{..name}', 'demo c1 c2 c3'],
  ['{.spec.hostNetwork} x {.spec.terminationGracePeriodSeconds}', 'true x 30'],
  ['{.spec.containers[1]}', '{"image":"i2","name":"c2"}'],
  ['{.spec.containers[*].ports}', '[{"containerPort":80},{"containerPort":81}]'],
  ['{.missing}', ''],
  ['{.kind.foo}', ''],
  ['{.spec.containers.name}', ''],
  ['{.metadata.annotations}', '{"empty":null}'],
  ['{\'a b\'}{"c\\n"}', 'a bc\n'],
  ['{"x"}}', 'x}'],
  ['{1}{2.5}{true}', '12.5true'],
];

describe('renderJsonPath', () => {
  it.each(rows)('%s', (template, printed) => {
    expect(renderJsonPath(template, pod)).toBe(printed);
  });

  const mistakes: readonly [template: string, message: RegExp][] = [
    ['{metadata.name}', /unrecognized identifier metadata/],
    ['{if}', /unrecognized identifier if/],
    ['{.metadata.name', /unclosed action/],
    ['{range .items[*]}', /\{range\} without its \{end\}/],
    ['{end}', /\{end\} without a \{range\}/],
    ['{.a[}', /unclosed action/],
    ['{.metadata["name"]}', /invalid array index "name"/],
    ['{.spec.containers[9].name}', /array index out of bounds: index 9, length 3/],
    ['{.spec.containers[1:9].name}', /array index out of bounds: index 8, length 3/],
    ['{.spec.containers[2:1].name}', /starting index 2 is greater than ending index 1/],
    ['{.spec.containers[?(@.ports[*].containerPort==81)].name}', /can only compare one element at a time/],
    ['{.spec.containers[?(@.name==c1)].name}', /cannot read c1/],
    ['{.spec.containers[0:2:0].name}', /step must be > 0/],
  ];
  it.each(mistakes)('%s is refused', (template, message) => {
    expect(() => renderJsonPath(template, pod)).toThrow(message);
  });

  const literal: readonly [template: string, data: unknown, printed: string][] = [
    ['{.a^b}', { 'a^b': 1 }, '1'],
    ["{['x,y']}", { 'x,y': 'comma' }, 'comma'],
    ['{.constructor}', {}, ''],
    ['{.__proto__}', {}, ''],
    ["{['it\\'s']}", { "it's": 'quoted' }, 'quoted'],
    ['{..}', { a: { b: 1 } }, '{"a":{"b":1}} {"b":1}'],
    ['{.*}', [1, null, {}], '1 null {}'],
    ['{.$}', { $: 'dollar' }, 'dollar'],
    ['{.items[?(@.name=="$(touch /x)")].name}', { items: [{ name: '$(touch /x)' }] }, '$(touch /x)'],
  ];
  it.each(literal)('%s takes names literally, never as code', (template, data, printed) => {
    expect(renderJsonPath(template, data)).toBe(printed);
  });
});
