// SPDX-License-Identifier: Apache-2.0
import type { KubeObject, Resource } from '@agenttier/machinery/kube/resource';
import { readDocuments, type SourceDocument } from '../client/documents.ts';
import { type Cluster, callOptions, withCluster } from '../context/cluster.ts';
import { CommandError } from '../context/failure.ts';
import { type GlobalFlags, type Host, write } from '../context/host.ts';
import { parseOutput, renderValue } from '../printers/output.ts';
import { Kinds } from './kinds.ts';
import { allowed, hint, refused, type Verdict, verdictLines } from './verdict.ts';

export interface CheckOptions extends GlobalFlags {
  readonly filename: string;
  readonly output?: string;
}

/** Answers 1 when any object was refused. */
export async function runCheck(host: Host, options: CheckOptions): Promise<number> {
  const output = parseOutput(options.output);
  if (output.kind === 'name') throw new CommandError('check prints text, json, yaml or jsonpath, not names');
  const documents = await readDocuments(host, options.filename);
  const verdicts = await withCluster(host, options, async (cluster) => {
    const kinds = new Kinds(host, cluster);
    const found: Verdict[] = [];
    for (const document of documents)
      found.push(await judge(host, { cluster, kinds, document, flags: options }));
    return found;
  });
  const text =
    output.kind === 'table'
      ? verdicts.map((verdict) => verdictLines(verdict, hint(verdict, documents))).join('')
      : await renderValue(output, { allowed: verdicts.every((verdict) => verdict.allowed), verdicts });
  await write(host.streams.out, text);
  return verdicts.every((verdict) => verdict.allowed) ? 0 : 1;
}

interface Case {
  readonly cluster: Cluster;
  readonly kinds: Kinds;
  readonly document: SourceDocument;
  readonly flags: GlobalFlags;
}

async function judge(host: Host, { cluster, kinds, document, flags }: Case): Promise<Verdict> {
  const warnings: string[] = [];
  let placed = document;
  try {
    const resource = await kinds.resourceOf(document.object);
    placed = place(document, resource, { flags, fallback: cluster.namespace });
    await dryRun(host, cluster, { resource, object: placed.object, warnings });
    return allowed(placed, warnings);
  } catch (error) {
    return refused(placed, error, warnings);
  }
}

/** Puts a namespaced object where kubectl apply would; a file that contradicts -n is an error there and here. */
function place(
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

interface Proposal {
  readonly resource: Resource;
  readonly object: KubeObject;
  readonly warnings: string[];
}

/** Server-side apply fits objects that exist and such that do not; only a generated name needs a create. */
async function dryRun(host: Host, cluster: Cluster, { resource, object, warnings }: Proposal): Promise<void> {
  const options = {
    ...callOptions(host),
    dryRun: true,
    fieldManager: 'kubectl-agenttier',
    fieldValidation: 'Strict' as const,
    onWarning: (text: string) => void warnings.push(text),
  };
  const { name, generateName, namespace } = object.metadata;
  if (name === undefined && generateName !== undefined)
    await cluster.client.create(resource, namespace, object, options);
  else if (name === undefined) throw new CommandError('metadata.name is required');
  else await cluster.client.apply(resource, object, { ...options, force: true });
}
