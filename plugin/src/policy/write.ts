// SPDX-License-Identifier: Apache-2.0
import { API_VERSION } from '@agenttier/crds/meta/labels';
import {
  CLUSTER_GOVERNANCE_POLICIES,
  GOVERNANCE_POLICIES,
  POLICY_NAME,
} from '@agenttier/crds/meta/resources';
import { isNotFound } from '@agenttier/machinery/kube/errors';
import type { KubeObject, ObjectKey, Resource } from '@agenttier/machinery/kube/resource';
import { readDocuments } from '../client/documents.ts';
import { type Cluster, callOptions, withCluster } from '../context/cluster.ts';
import { CommandError } from '../context/failure.ts';
import { type GlobalFlags, type Host, write } from '../context/host.ts';
import { printChange } from '../printers/change.ts';
import { parseOutput, renderListing } from '../printers/output.ts';
import { specChange } from './assignments.ts';

export interface PolicyWriteOptions extends GlobalFlags {
  readonly fields: readonly string[];
  readonly cluster?: boolean;
  readonly filename?: string;
  readonly output?: string;
  readonly dryRun?: boolean;
}

interface PolicyObject extends KubeObject {
  readonly spec?: unknown;
}

interface Place {
  readonly resource: Resource;
  readonly key: ObjectKey;
}

const placeOf = (cluster: Cluster, shared: boolean | undefined): Place =>
  shared === true
    ? { resource: CLUSTER_GOVERNANCE_POLICIES, key: { name: POLICY_NAME } }
    : { resource: GOVERNANCE_POLICIES, key: { namespace: cluster.namespace, name: POLICY_NAME } };

/** Changes single fields of the policy, or replaces it by that of a file; one that is not there yet is created. */
export async function setPolicy(host: Host, options: PolicyWriteOptions): Promise<void> {
  const output = parseOutput(options.output);
  const change = await changeOf(host, options);
  const dryRun = options.dryRun === true;
  await withCluster(host, options, async (cluster) => {
    const place = placeOf(cluster, options.cluster);
    const writing = {
      ...callOptions(host),
      dryRun,
      fieldManager: 'kubectl-agenttier',
      fieldValidation: 'Strict' as const,
    };
    const { stored, done } = await store(cluster, place, change, writing);
    await printChange(host, output, stored, dryRun ? `${done} (server dry run)` : done);
  });
}

type Change = { readonly kind: 'merge' | 'replace'; readonly spec: unknown };

async function changeOf(host: Host, { fields, filename }: PolicyWriteOptions): Promise<Change> {
  if (filename === undefined) {
    if (fields.length > 0) return { kind: 'merge', spec: specChange(fields) };
    throw new CommandError('name a field, for instance maxCpu=4, or a file with -f', 2);
  }
  if (fields.length > 0) throw new CommandError('give fields or a file, not both', 2);
  const [first, ...more] = await readDocuments(host, filename);
  const kinds = ['GovernancePolicy', 'ClusterGovernancePolicy'];
  if (!first || more.length > 0 || !kinds.includes(first.object.kind ?? '')) {
    throw new CommandError(`${filename}: policy set takes a file with one ${kinds.join(' or ')}`);
  }
  return { kind: 'replace', spec: (first.object as PolicyObject).spec ?? {} };
}

type Writing = Parameters<Cluster['client']['create']>[3];

async function store(
  { client }: Cluster,
  { resource, key }: Place,
  change: Change,
  writing: Writing,
): Promise<{ stored: PolicyObject; done: string }> {
  const patch =
    change.kind === 'merge'
      ? ({ type: 'merge', body: { spec: change.spec } } as const)
      : ({ type: 'json', body: [{ op: 'add', path: '/spec', value: change.spec }] } as const);
  try {
    return { stored: await client.patch<PolicyObject>(resource, key, patch, writing), done: 'configured' };
  } catch (error) {
    if (!isNotFound(error)) throw error;
    const { name, namespace } = key;
    const metadata = { name, ...(namespace === undefined ? {} : { namespace }) };
    const object = { apiVersion: API_VERSION, kind: resource.kind, metadata, spec: change.spec };
    return {
      stored: await client.create<PolicyObject>(resource, key.namespace, object, writing),
      done: 'created',
    };
  }
}

/** The policy object itself, as it is stored. */
export async function getPolicy(host: Host, options: PolicyWriteOptions): Promise<void> {
  const output = parseOutput(options.output ?? 'yaml');
  await withCluster(host, options, async (cluster) => {
    const { resource, key } = placeOf(cluster, options.cluster);
    const object = await cluster.client.get<PolicyObject>(resource, key, callOptions(host));
    const columns = [{ header: 'NAME', value: ({ metadata }: KubeObject) => metadata.name }];
    const listing = { objects: [object], single: true, columns, noHeaders: false };
    await write(host.streams.out, await renderListing(output, listing));
  });
}

export async function deletePolicy(host: Host, options: PolicyWriteOptions): Promise<void> {
  await withCluster(host, options, async (cluster) => {
    const { resource, key } = placeOf(cluster, options.cluster);
    await cluster.client.delete(resource, key, callOptions(host));
    await write(host.streams.out, `${resource.kind.toLowerCase()}.agenttier.io "${key.name}" deleted\n`);
  });
}
