// SPDX-License-Identifier: Apache-2.0
import { mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { KubeClient } from '@agenttier/machinery/kube/client';
import { KubeError } from '@agenttier/machinery/kube/errors';
import { describe, expect, it } from 'vitest';
import { installTemplates } from './builtin.ts';

const template = (name: string): string => `
apiVersion: agenttier.io/v1alpha1
kind: ClusterSandboxTemplate
metadata: { name: ${name} }
spec: { description: one }
`;

async function folderOf(files: Readonly<Record<string, string>>): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'agenttier-builtin-'));
  for (const [name, text] of Object.entries(files)) await writeFile(join(folder, name), text);
  return folder;
}

/** An API server that fails with `failures` first and then takes everything. */
function server(failures: KubeError[]): { client: KubeClient; applied: string[] } {
  const applied: string[] = [];
  const apply = async (_: unknown, body: { metadata: { name: string } }): Promise<unknown> => {
    const failure = failures.shift();
    if (failure !== undefined) throw failure;
    applied.push(body.metadata.name);
    return body;
  };
  return { client: { apply } as unknown as KubeClient, applied };
}

const kubeError = (status: number): KubeError =>
  new KubeError({ message: `answer ${status}`, status, reason: 'Test' });
const log = { info: (): void => {} };

const install = (client: KubeClient, folder: string): Promise<void> =>
  installTemplates({ client, folder, log, signal: AbortSignal.timeout(10_000), retryMs: 1 });

describe('installTemplates', () => {
  it('applies every YAML file in the order of their names', async () => {
    const { client, applied } = server([]);
    await install(
      client,
      await folderOf({ 'b.yaml': template('b'), 'a.yaml': template('a'), 'notes.txt': 'x' }),
    );
    expect(applied).toEqual(['a', 'b']);
  });

  it('tries again while the webhook does not answer', async () => {
    const { client, applied } = server([kubeError(500), kubeError(0), kubeError(429)]);
    await install(client, await folderOf({ 'a.yaml': template('a') }));
    expect(applied).toEqual(['a']);
  });

  it('ends at a refusal', async () => {
    const { client, applied } = server([kubeError(403)]);
    await expect(install(client, await folderOf({ 'a.yaml': template('a') }))).rejects.toThrow('answer 403');
    expect(applied).toEqual([]);
  });

  it('refuses a file that is no template, by its name', async () => {
    const { client } = server([]);
    await expect(install(client, await folderOf({ 'a.yaml': 'kind: Pod' }))).rejects.toThrow('a.yaml is no');
  });
});
