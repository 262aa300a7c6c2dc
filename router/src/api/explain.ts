// SPDX-License-Identifier: Apache-2.0
import { type EventObject, sandboxEvents } from '@agenttier/crds/explain/events';
import { explainSandbox } from '@agenttier/crds/explain/explanation';
import { type SandboxEvent, whyOf } from '@agenttier/crds/explain/why';
import type { Sandbox } from '@agenttier/crds/generated/types';
import type { KubeClient } from '@agenttier/machinery/kube/client';
import { isKubeError } from '@agenttier/machinery/kube/errors';
import { EVENTS } from '@agenttier/machinery/kube/resource';
import type { KubeObject } from '@agenttier/machinery/kube/resource';
import type { SandboxFinder } from '../cluster/finder.ts';
import type { Handlers } from './contract.ts';
import { refusals } from './errors.ts';
import { usersShownTo } from './governance.ts';
import { readPolicies } from './policies.ts';
import { findFor } from './sandboxes.ts';

export interface ExplainOptions {
  readonly client: Pick<KubeClient, 'get' | 'list'>;
  readonly finder: SandboxFinder;
  readonly now?: () => number;
}

type Operations = Pick<Handlers, 'explainSandbox' | 'whySandbox'>;

/** Why a sandbox is as it is: its values with their origins and limits, and its state in a paragraph. */
export function explainOperations({ client, finder, now = Date.now }: ExplainOptions): Operations {
  return {
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
