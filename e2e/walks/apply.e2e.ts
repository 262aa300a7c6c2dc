// SPDX-License-Identifier: Apache-2.0
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { apply, getJson, inSandbox, kubectl, ok, plugin, untilPhase, walkNamespace } from './harness.ts';

const chain = readFileSync(join(import.meta.dirname, '../../examples/chain.yaml'), 'utf8');

describe('three templates in a chain and a Sandbox in one file', () => {
  const namespace = walkNamespace('walk-apply');

  it('is Running after one apply', async () => {
    await ok(apply(chain, namespace()));
    await untilPhase('chained', namespace(), 'Running');
    const environment = await ok(inSandbox('chained', namespace(), 'echo $COMPANY $LEVEL $MINE'));
    expect(environment.trim()).toBe('acme department 1');
  });

  it('explain names the origin of image, resources, env and storage', async () => {
    const explained = JSON.parse(
      await ok(plugin(['explain', 'sandbox', 'chained', '-n', namespace(), '-o', 'json'])),
    ) as { fields: { field: string; origin: string; value: unknown }[] };
    const origin = (field: string) => explained.fields.find((row) => row.field === field)?.origin;
    expect(origin('image.repository')).toBe('ClusterSandboxTemplate/minimal-shell');
    expect(origin('resources.limits.memory')).toBe(`SandboxTemplate/${namespace()}/department`);
    expect(origin('resources.limits.cpu')).toBe('ClusterSandboxTemplate/minimal-shell');
    expect(origin('storage.size')).toBe(`SandboxTemplate/${namespace()}/project`);
    expect(origin('env[COMPANY]')).toBe(`SandboxTemplate/${namespace()}/company`);
    expect(origin('env[LEVEL]')).toBe(`SandboxTemplate/${namespace()}/department`);
    expect(origin('env[MINE]')).toBe('Sandbox');
  });

  it('changes nothing when applied again', async () => {
    const before = await getJson(['sandbox', 'chained', '-n', namespace()]);
    const diff = await kubectl(['diff', '-n', namespace(), '-f', '-'], { stdin: chain });
    expect(diff).toMatchObject({ code: 0, stdout: '' });
    await ok(apply(chain, namespace()));
    const after = await getJson(['sandbox', 'chained', '-n', namespace()]);
    expect(after.metadata.generation).toBe(before.metadata.generation);
    expect(after.spec).toEqual(before.spec);
  });

  it('takes a server-side apply of a second manager', async () => {
    const second = `
apiVersion: agenttier.io/v1alpha1
kind: Sandbox
metadata:
  name: chained
spec:
  idleTimeout: 2h
`;
    await ok(
      kubectl(['apply', '--server-side', '--field-manager=second', '-n', namespace(), '-f', '-'], {
        stdin: second,
      }),
    );
    const object = await getJson(['sandbox', 'chained', '-n', namespace()]);
    expect(object.spec.idleTimeout).toBe('2h');
    expect(object.spec.resolved.spec.idleTimeout).toBe('2h');
    expect(object.spec.resolved.origins.idleTimeout).toBe('Sandbox');
    expect(object.spec.env).toEqual([{ name: 'MINE', value: '1' }]);
  });
});
