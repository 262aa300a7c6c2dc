// SPDX-License-Identifier: Apache-2.0
import type { ClusterSandboxTemplate, SandboxTemplate } from '@agenttier/crds/generated/types';
import { CLUSTER_SANDBOX_TEMPLATES, SANDBOX_TEMPLATES } from '@agenttier/crds/meta/resources';
import {
  composeChain,
  type TemplateKey,
  type TemplateObject,
  type TemplateRef,
} from '@agenttier/crds/template/compose';
import { EMPTY_LAYER, readLayer, render, stack } from '@agenttier/crds/template/layer';
import { isNotFound } from '@agenttier/machinery/kube/errors';
import { type Cluster, callOptions } from '../context/cluster.ts';
import { CommandError } from '../context/failure.ts';
import type { Host } from '../context/host.ts';

type AnyTemplate = SandboxTemplate | ClusterSandboxTemplate;

const keyText = (key: TemplateKey): string => `${key.kind}/${key.namespace ?? ''}/${key.name}`;

/**
 * The chain of templates that a reference leads to, the root first. Composing is pure and asks for one missing template at
 * a time, so it is repeated with each one fetched until it needs nothing more.
 */
export async function loadChain(
  host: Host,
  cluster: Cluster,
  ref: TemplateRef,
): Promise<readonly TemplateObject[]> {
  const known = new Map<string, AnyTemplate | undefined>();
  for (;;) {
    const wanted: TemplateKey[] = [];
    const composition = composeChain(ref, cluster.namespace, (key) => {
      const template = known.get(keyText(key));
      if (!known.has(keyText(key))) wanted.push(key);
      return template?.spec === undefined ? undefined : { metadata: template.metadata, spec: template.spec };
    });
    if (wanted.length === 0) {
      if (composition.ok) return composition.chain;
      throw new CommandError(composition.violation.message);
    }
    await Promise.all(
      wanted.map(async (key) => known.set(keyText(key), await fetchTemplate(host, cluster, key))),
    );
  }
}

async function fetchTemplate(
  host: Host,
  cluster: Cluster,
  key: TemplateKey,
): Promise<AnyTemplate | undefined> {
  const namespaced = key.kind === 'SandboxTemplate';
  const resource = namespaced ? SANDBOX_TEMPLATES : CLUSTER_SANDBOX_TEMPLATES;
  const namespace = namespaced ? (key.namespace ?? cluster.namespace) : undefined;
  try {
    return await cluster.client.get<AnyTemplate>(resource, { namespace, name: key.name }, callOptions(host));
  } catch (error) {
    if (isNotFound(error)) return undefined;
    throw error;
  }
}

/** What the templates of a chain say together, and which of them says it: as admission words it. */
export function mergeChain(chain: readonly TemplateObject[]): {
  spec: object;
  origins: Readonly<Record<string, string>>;
} {
  return render(
    chain.reduce(
      (below, template) => stack(below, readLayer(template.spec, originOf(template))),
      EMPTY_LAYER,
    ),
  );
}

/** `ClusterSandboxTemplate/name` or `SandboxTemplate/namespace/name`. */
export function originOf(template: {
  readonly kind: string;
  readonly namespace?: string;
  readonly name?: string;
  readonly metadata?: TemplateObject['metadata'];
}): string {
  const name = template.name ?? template.metadata?.name ?? '';
  const namespace = template.namespace ?? template.metadata?.namespace;
  return template.kind === 'SandboxTemplate' && namespace
    ? `${template.kind}/${namespace}/${name}`
    : `${template.kind}/${name}`;
}
