// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from 'vitest';
import { apply, getJson, minimalSandbox, ok, plugin, untilPhase, walkNamespace } from './harness.ts';

describe('the runtime in images that never heard of it', () => {
  const namespace = walkNamespace('walk-images');
  const registry = async (): Promise<string> => {
    const template = await getJson(['clustersandboxtemplate', 'minimal-shell']);
    const repository = template.spec.image.repository as string;
    return repository.slice(0, repository.lastIndexOf('/'));
  };

  it.each([
    ['debian', 'sandbox-minimal:0.1.0', ['/bin/bash', '-c', 'echo $BASH_VERSION | cut -c1']],
    ['busybox', 'test-busybox:0.1.0', ['/bin/sh', '-c', 'busybox | head -1 | cut -c1-7']],
    ['distroless', 'test-distroless:0.1.0', ['/hello']],
  ])('%s', async (name, image, argv) => {
    const extra = `  image:\n    repository: ${await registry()}/${image}\n`;
    await ok(apply(minimalSandbox(name, extra), namespace()));
    await untilPhase(name, namespace(), 'Running');
    const printed = (await ok(plugin(['exec', '-n', namespace(), name, '--', ...argv]))).trim();
    expect(printed).not.toBe('');
    const failed = await plugin(['exec', '-n', namespace(), name, '--', '/no/such/program']);
    expect(failed.code).not.toBe(0);
  });
});
