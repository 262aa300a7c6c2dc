// SPDX-License-Identifier: Apache-2.0
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Json, getJson, kubectl, ok, until } from './harness.ts';

const INSTALL = ['-n', 'agenttier'];
const TEMPLATE = 'walk-prepull-distroless';

async function switchPrepull(value: 'true' | 'false'): Promise<void> {
  await ok(kubectl(['set', 'env', ...INSTALL, 'deployment/agenttier-operator', `PREPULL=${value}`]));
  await ok(kubectl(['rollout', 'status', ...INSTALL, 'deployment/agenttier-operator', '--timeout=120s']));
}

describe('images ahead of time', () => {
  let image = '';

  beforeAll(async () => {
    const template = await getJson(['clustersandboxtemplate', 'minimal-shell']);
    const repository = template.spec.image.repository as string;
    image = `${repository.slice(0, repository.lastIndexOf('/'))}/test-distroless:0.1.0`;
    const [name, tag] = [image.slice(0, image.lastIndexOf(':')), image.slice(image.lastIndexOf(':') + 1)];
    const object = {
      apiVersion: 'agenttier.io/v1alpha1',
      kind: 'ClusterSandboxTemplate',
      metadata: { name: TEMPLATE },
      spec: { image: { repository: name, tag } },
    };
    await ok(kubectl(['apply', '-f', '-'], { stdin: JSON.stringify(object) }));
    await switchPrepull('true');
  });
  afterAll(async () => {
    await kubectl(['delete', 'clustersandboxtemplate', TEMPLATE, '--ignore-not-found']);
    await switchPrepull('false');
    await until('the pods that pull to be gone', async () => {
      return (await kubectl(['get', ...INSTALL, 'daemonset', 'agenttier-prepull'])).code !== 0;
    });
  });

  it('are brought to the node by a pod that runs in each of them, a distroless one included', async () => {
    const set = await until('every image to be there', async () => {
      const found = await getJson([...INSTALL, 'daemonset', 'agenttier-prepull']);
      return found.status?.numberReady >= 1 ? found : undefined;
    });
    const { initContainers } = set.spec.template.spec;
    expect(initContainers.map((one: Json) => one.image)).toContain(image);
    const [pod] = (await getJson(['pods', ...INSTALL, '-l', 'app.kubernetes.io/component=prepull'])).items;
    for (const { state } of pod.status.initContainerStatuses)
      expect(state.terminated).toMatchObject({ exitCode: 0 });
  });
});
