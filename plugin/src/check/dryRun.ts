// SPDX-License-Identifier: Apache-2.0
import type { KubeObject, Resource } from '@agenttier/machinery/kube/resource';
import type { SourceDocument } from '../client/documents.ts';
import { type Cluster, callOptions } from '../context/cluster.ts';
import { CommandError } from '../context/failure.ts';
import type { GlobalFlags, Host } from '../context/host.ts';

/** Puts a namespaced object where kubectl apply would; a file that contradicts -n is an error there and here. */
export function place(
  document: SourceDocument,
  resource: Resource,
  at: { flags: GlobalFlags; fallback: string },
): SourceDocument {
  if (!resource.namespaced) return document;
  const own = document.object.metadata.namespace;
  const asked = at.flags.namespace;
  if (own !== undefined && asked !== undefined && own !== asked) {
    throw new CommandError(
      `the namespace of the object (${own}) does not match the namespace asked for (${asked})`,
    );
  }
  const namespace = own ?? asked ?? at.fallback;
  return {
    ...document,
    object: { ...document.object, metadata: { ...document.object.metadata, namespace } },
  };
}

export interface Proposal {
  readonly resource: Resource;
  readonly object: KubeObject;
  /** Receives what the cluster warns of. */
  readonly warnings: string[];
}

/**
 * What the cluster would store. Server-side apply fits objects that exist and such that do not; only a generated name
 * needs a create.
 */
export async function dryRun(
  host: Host,
  cluster: Cluster,
  { resource, object, warnings }: Proposal,
): Promise<KubeObject> {
  const options = {
    ...callOptions(host),
    dryRun: true,
    fieldManager: 'kubectl-agenttier',
    fieldValidation: 'Strict' as const,
    onWarning: (text: string) => void warnings.push(text),
  };
  const { name, generateName, namespace } = object.metadata;
  if (name === undefined && generateName !== undefined)
    return cluster.client.create(resource, namespace, object, options);
  if (name === undefined) throw new CommandError('metadata.name is required');
  return cluster.client.apply(resource, object, { ...options, force: true });
}
