// SPDX-License-Identifier: Apache-2.0
import {
  type ClusterReader,
  combineViolations,
  type Input,
  inputOf,
  type InputObject,
  isLeanedOn,
  judgeWithInput,
} from '@agenttier/crds/explain/input';
import { equalJson } from '@agenttier/crds/meta/canonical';
import { GROUP } from '@agenttier/crds/meta/labels';
import { isKubeError } from '@agenttier/machinery/kube/errors';
import type { KubeObject, Resource } from '@agenttier/machinery/kube/resource';
import type { SourceDocument } from '../client/documents.ts';
import { policiesIfReadable } from '../client/policies.ts';
import { readTemplate } from '../client/templates.ts';
import { type Cluster, callOptions } from '../context/cluster.ts';
import type { GlobalFlags, Host } from '../context/host.ts';
import { dryRun, place } from './dryRun.ts';
import { Kinds } from './kinds.ts';
import { allowed, refused, type Verdict } from './verdict.ts';

export interface CheckInput {
  readonly cluster: Cluster;
  readonly documents: readonly SourceDocument[];
  readonly flags: GlobalFlags;
}

/** An object with the cluster's verdict. */
interface Judged {
  readonly document: SourceDocument;
  readonly verdict: Verdict;
  /** What others of the input must be judged with, since the cluster has it not, or otherwise. */
  readonly changed?: InputObject;
}

/** The verdicts in the order of the documents. Rejects with what says nothing about an object, such as no network. */
export async function judgeAll(host: Host, { cluster, documents, flags }: CheckInput): Promise<Verdict[]> {
  const kinds = new Kinds(host, cluster);
  const judged: Judged[] = [];
  for (const document of documents) judged.push(await judge(host, { cluster, kinds, flags }, document));
  const changed = judged.flatMap((one) => one.changed ?? []);
  if (changed.length === 0) return judged.map(({ verdict }) => verdict);
  const reader: ClusterReader = {
    template: (key) => readTemplate(host, cluster, key),
    policies: (namespace) => policiesIfReadable(host, cluster, namespace),
  };
  const input = inputOf(changed);
  return Promise.all(judged.map((one) => withInput(one, input, reader)));
}

interface Court {
  readonly cluster: Cluster;
  readonly kinds: Kinds;
  readonly flags: GlobalFlags;
}

async function judge(
  host: Host,
  { cluster, kinds, flags }: Court,
  document: SourceDocument,
): Promise<Judged> {
  const warnings: string[] = [];
  let placed = document;
  let resource: Resource | undefined;
  try {
    resource = await kinds.resourceOf(document.object);
    placed = place(document, resource, { flags, fallback: cluster.namespace });
    const planned = await dryRun(host, cluster, { resource, object: placed.object, warnings });
    const verdict = allowed(placed, warnings);
    const differing = await differs(host, cluster, resource, planned);
    return { document: placed, verdict, ...(differing && { changed: planned as InputObject & KubeObject }) };
  } catch (error) {
    const verdict = refused(placed, error, warnings);
    const leaned = isOurs(resource) && isLeanedOn(resource?.kind ?? '');
    return {
      document: placed,
      verdict,
      ...(leaned && { changed: placed.object as InputObject & KubeObject }),
    };
  }
}

const isOurs = (resource: Resource | undefined): boolean => resource?.group === GROUP;

/** Whether storing the object would change something for others that lean on it. */
async function differs(
  host: Host,
  cluster: Cluster,
  resource: Resource,
  planned: KubeObject,
): Promise<boolean> {
  const { name, namespace } = planned.metadata;
  if (!isOurs(resource) || !isLeanedOn(resource.kind) || name === undefined) return false;
  try {
    const stored = await cluster.client.get<InputObject & KubeObject>(
      resource,
      { namespace, name },
      callOptions(host),
    );
    return !equalJson(stored.spec, (planned as unknown as InputObject).spec);
  } catch (error) {
    // Who may not read it may still be told by the input.
    if (isKubeError(error) && (error.status === 404 || error.status === 403)) return true;
    throw error;
  }
}

async function withInput(
  { document, verdict }: Judged,
  input: Input,
  reader: ClusterReader,
): Promise<Verdict> {
  if (!document.object.apiVersion?.startsWith(`${GROUP}/`)) return verdict;
  const judged = await judgeWithInput(document.object as InputObject, input, reader);
  if (judged === undefined) return verdict;
  const violations = combineViolations(verdict.violations, judged);
  return {
    ...verdict,
    allowed: violations.length === 0,
    judgedBy: 'input',
    note: judged.note,
    violations,
    warnings: [...judged.warnings],
  };
}
