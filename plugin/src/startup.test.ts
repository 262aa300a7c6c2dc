// SPDX-License-Identifier: Apache-2.0
import { join } from 'node:path';
import { type OutputChunk, rolldown } from 'rolldown';
import { beforeAll, describe, expect, it } from 'vitest';

const packagesOf = (loaded: readonly OutputChunk[]): string[] => {
  const ids = loaded.flatMap((chunk) => chunk.moduleIds);
  const names = ids
    .map((id) => /node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(id)?.[1])
    .filter((name) => name !== undefined);
  return [...new Set(names)].sort();
};
const holds = (path: string) => (chunk: OutputChunk) => chunk.moduleIds.some((id) => id.endsWith(path));

/**
 * kubectl starts the plugin anew for every command and every Tab key, so what is read before a command runs is what people
 * wait for. Milliseconds depend on the machine; modules and bytes do not.
 */
describe('what the bundled plugin loads at its start', () => {
  let chunks: readonly OutputChunk[];

  beforeAll(async () => {
    const bundle = await rolldown({ input: join(import.meta.dirname, 'main.ts'), platform: 'node' });
    const { output } = await bundle.generate({ format: 'esm', minify: true });
    await bundle.close();
    chunks = output.filter((one) => one.type === 'chunk');
  });

  /** The files read when an import of one of these modules runs, without what they import on demand. */
  function closure(name: (chunk: OutputChunk) => boolean): OutputChunk[] {
    const found = new Set<OutputChunk>();
    const queue = chunks.filter(name);
    for (let chunk = queue.pop(); chunk; chunk = queue.pop()) {
      const { imports } = chunk;
      if (!found.has(chunk)) queue.push(...chunks.filter((one) => imports.includes(one.fileName)));
      found.add(chunk);
    }
    return [...found];
  }
  it('is the command line parser and nothing else from outside', () => {
    const loaded = closure((chunk) => chunk.isEntry);
    expect(packagesOf(loaded)).toEqual(['commander']);
    expect(loaded.reduce((sum, chunk) => sum + chunk.code.length, 0)).toBeLessThan(120_000);
  });

  it('grows by an HTTP client and YAML for a command that asks the cluster', () => {
    const loaded = [
      ...closure(holds('/plugin/src/list/run.ts')),
      ...closure(holds('/machinery/src/kube/client.ts')),
      ...closure(holds('/machinery/src/kube/kubeconfig.ts')),
    ];
    expect(packagesOf(loaded)).toEqual(['undici', 'yaml']);
  });

  it('never holds a server', () => {
    expect(packagesOf(chunks)).not.toContain('express');
  });
});
