// SPDX-License-Identifier: Apache-2.0
import { afterAll, describe, expect, it } from 'vitest';
import { parseAllDocuments } from 'yaml';
import { render } from '../chart/render.ts';
import {
  type Json,
  apply,
  getJson,
  kubectl,
  minimalSandbox,
  ok,
  until,
  untilPhase,
  walkNamespace,
} from './harness.ts';

const SELECTOR = 'app.kubernetes.io/component=headroom';

const milli = (amount: string | undefined): number =>
  amount === undefined ? 0 : amount.endsWith('m') ? Number(amount.slice(0, -1)) : Number(amount) * 1000;

/** CPU of the node that no pod asks for, in thousandths. */
async function freeCpu(): Promise<number> {
  const [node] = (await getJson(['nodes'])).items as Json[];
  const pods = (
    await getJson(['pods', '-A', '--field-selector=status.phase!=Succeeded,status.phase!=Failed'])
  ).items;
  const asked = (pods as Json[]).flatMap(({ spec }) =>
    spec.containers.map(({ resources }: Json) => milli(resources?.requests?.cpu)),
  );
  return milli(node.status.allocatable.cpu) - asked.reduce((sum: number, one: number) => sum + one, 0);
}

describe('headroom', () => {
  const namespace = walkNamespace('walk-headroom');

  afterAll(async () => {
    await kubectl(['delete', 'priorityclass', 'agenttier-headroom', '--ignore-not-found']);
  });

  it('gives its place to a sandbox that finds no other', async () => {
    const cpu = `${(await freeCpu()) - 50}m`;
    const image = (await getJson(['deployment', 'agenttier-operator', '-n', 'agenttier'])).spec.template.spec
      .containers[0].image as string;
    const [registry, tag] = [image.slice(0, image.lastIndexOf('/')), image.slice(image.lastIndexOf(':') + 1)];
    const rendered = render({ image: { registry, tag }, headroom: { replicas: 1, cpu, memory: '64Mi' } });
    const objects = parseAllDocuments(rendered)
      .map((one): Json => one.toJS())
      .filter((one) => one?.metadata?.name === 'agenttier-headroom');
    expect(new Set(objects.map(({ kind }) => kind))).toEqual(new Set(['Deployment', 'PriorityClass']));
    const here = objects.map((one) =>
      one.kind === 'Deployment' ? { ...one, metadata: { ...one.metadata, namespace: namespace() } } : one,
    );
    await ok(
      kubectl(['apply', '-f', '-'], { stdin: here.map((one) => JSON.stringify(one)).join('\n---\n') }),
    );
    const placeholders = async (): Promise<Json[]> =>
      (await getJson(['pods', '-n', namespace(), '-l', SELECTOR])).items;
    const first = await until('the placeholder to run', async () =>
      (await placeholders()).find(({ status }) => status.phase === 'Running'),
    );

    await ok(apply(minimalSandbox('pushy', '  resources:\n    requests:\n      cpu: 500m\n'), namespace()));
    await untilPhase('pushy', namespace(), 'Running');

    const left = await until('the placeholder to be evicted', async () => {
      const pods = await placeholders();
      return pods.some(({ metadata }) => metadata.uid === first.metadata.uid) ? undefined : pods;
    });
    expect(left.every(({ status }) => status.phase === 'Pending')).toBe(true);
    const pod = await getJson(['pod', 'pushy-pod', '-n', namespace()]);
    expect(pod.metadata.annotations['cluster-autoscaler.kubernetes.io/safe-to-evict']).toBe('false');
  });
});
