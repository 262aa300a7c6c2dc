// SPDX-License-Identifier: Apache-2.0
import { type EventObject, sandboxEvents } from '@agenttier/crds/explain/events';
import { explainSandbox, explainTemplate } from '@agenttier/crds/explain/explanation';
import { type SandboxEvent, whyOf } from '@agenttier/crds/explain/why';
import type { Sandbox } from '@agenttier/crds/generated/types';
import { composeChain } from '@agenttier/crds/template/compose';
import type { TemplateRef } from '@agenttier/crds/template/compose';
import type { KubeClient } from '@agenttier/machinery/kube/client';
import { isKubeError } from '@agenttier/machinery/kube/errors';
import { EVENTS } from '@agenttier/machinery/kube/resource';
import type { KubeObject } from '@agenttier/machinery/kube/resource';
import type { Stores } from '../../cluster/caches.ts';
import type { SandboxFinder } from '../../cluster/finder.ts';
import type { Handlers } from '../contract.ts';
import type { Call, Reply } from '../route.ts';
import { refusals } from '../errors.ts';
import { namespaceOf, usersShownTo } from '../governance/operations.ts';
import { readPolicies } from '../governance/policies.ts';
import { findFor } from '../sandboxes/operations.ts';

export interface ExplainOptions {
  readonly client: Pick<KubeClient, 'get' | 'list'>;
  readonly finder: SandboxFinder;
  readonly stores: Pick<Stores, 'templates' | 'clusterTemplates'>;
  readonly defaultNamespace: string;
  readonly now?: () => number;
}

type Operations = Pick<Handlers, 'explainSandbox' | 'explainTemplate' | 'whySandbox'>;

/** Why a sandbox is as it is: its values with their origins and limits, and its state in a paragraph. */
export function explainOperations(options: ExplainOptions): Operations {
  const { client, finder, now = Date.now } = options;
  return {
    explainTemplate: async (call) => explainTemplateTo(options, call),
    explainSandbox: async (call) => {
      const sandbox = await findFor({ finder }, call, 'read');
      const policies = await readPolicies(client, sandbox.metadata.namespace ?? '', call.signal);
      const body = explainSandbox(sandbox, { policies, users: usersShownTo(call.principal) });
      if (body === undefined) {
        throw refusals.wrongPhase(
          `sandbox ${sandbox.metadata.name} has no resolved spec: it was stored while admission was away; apply it again`,
        );
      }
      return { status: 200, body };
    },
    whySandbox: async (call) => {
      const sandbox = await findFor({ finder }, call, 'read');
      return { status: 200, body: whyOf(sandbox, await eventsOf(client, sandbox, call.signal), now()) };
    },
  };
}

/**
 * What a chain of templates says together, as a sandbox of `?namespace=` would get it. `?kind=` chooses between a
 * namespaced and a cluster template of one name; without it the namespaced one wins, as in a templateRef.
 */
async function explainTemplateTo(
  { client, stores, defaultNamespace }: ExplainOptions,
  call: Call,
): Promise<Reply> {
  const namespace = namespaceOf(call, defaultNamespace);
  const composition = composeChain(templateRefOf(call), namespace, (key) =>
    key.kind === 'SandboxTemplate'
      ? stores.templates.get(key.namespace, key.name)
      : stores.clusterTemplates.get(undefined, key.name),
  );
  if (!composition.ok) {
    const { code, message } = composition.violation;
    throw code === 'template_not_found'
      ? refusals.templateNotFound(call.params['name'] ?? '')
      : refusals.wrongPhase(message);
  }
  const policies = await readPolicies(client, namespace, call.signal);
  const body = explainTemplate(composition.chain, namespace, {
    policies,
    users: usersShownTo(call.principal),
  });
  return { status: 200, body };
}

function templateRefOf({ params, query }: Call): TemplateRef {
  const [name = '', kind] = [params['name'], query.get('kind')];
  if (kind === null) return { name };
  if (kind !== 'SandboxTemplate' && kind !== 'ClusterSandboxTemplate')
    throw refusals.badRequest('kind is SandboxTemplate or ClusterSandboxTemplate');
  return { name, kind };
}

/** The Events about this very sandbox; none when Events may not be read, since the status says most. */
async function eventsOf(
  client: Pick<KubeClient, 'list'>,
  { metadata: { namespace, uid = '' } }: Sandbox,
  signal: AbortSignal,
): Promise<SandboxEvent[]> {
  try {
    const query = { namespace, fieldSelector: `regarding.uid=${uid}` };
    const { items } = await client.list<KubeObject & EventObject>(EVENTS, query, { signal });
    return sandboxEvents(items);
  } catch (error) {
    if (isKubeError(error) && error.status === 403) return [];
    throw error;
  }
}
