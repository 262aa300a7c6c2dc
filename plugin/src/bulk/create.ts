// SPDX-License-Identifier: Apache-2.0
import type { Sandbox } from '@agenttier/crds/generated/types';
import { SANDBOXES } from '@agenttier/crds/meta/resources';
import { readDocuments } from '../client/documents.ts';
import { forEachItem } from '../client/sandboxes.ts';
import { callOptions, withCluster } from '../context/cluster.ts';
import { CommandError } from '../context/failure.ts';
import type { GlobalFlags, Host } from '../context/host.ts';
import { printChange } from '../printers/change.ts';
import { parseOutput } from '../printers/output.ts';

export interface BulkCreateOptions extends GlobalFlags {
  readonly filename: string;
  readonly output?: string;
  readonly dryRun?: boolean;
}

/** Creates every Sandbox of the file. Each is judged on its own, so quota lets in as many as fit. */
export async function bulkCreate(host: Host, options: BulkCreateOptions): Promise<void> {
  const output = parseOutput(options.output);
  const documents = await readDocuments(host, options.filename);
  const foreign = documents.find(({ object }) => object.kind !== 'Sandbox');
  if (foreign) {
    throw new CommandError(
      `${foreign.file}:${foreign.line}: bulk create takes Sandboxes only, not ${foreign.object.kind}; use kubectl apply -f`,
    );
  }
  const dryRun = options.dryRun === true;
  await withCluster(host, options, (cluster) =>
    forEachItem(documents, async ({ object }) => {
      const namespace = options.namespace ?? object.metadata.namespace ?? cluster.namespace;
      const sandbox: Sandbox = { ...object, metadata: { ...object.metadata, namespace } };
      const writing = { ...callOptions(host), dryRun, fieldManager: 'kubectl-agenttier' };
      const created = await cluster.client.create<Sandbox>(SANDBOXES, namespace, sandbox, {
        ...writing,
        fieldValidation: 'Strict',
      });
      await printChange(host, output, created, dryRun ? 'created (server dry run)' : 'created');
    }),
  );
}
