// SPDX-License-Identifier: Apache-2.0
import { SANDBOXES } from '@agenttier/crds/meta/resources';
import type { AuditEntry } from '@agenttier/machinery/telemetry/audit';
import type { Handlers, Operation } from '../api/contract.ts';
import { HttpError } from '../api/errors.ts';
import type { Call, Handler, Reply } from '../api/route.ts';
import { roleOn } from '../auth/authorize.ts';
import type { Principal } from '../auth/principal.ts';
import { BY_NAME } from '../cluster/caches.ts';
import type { Stores } from '../cluster/caches.ts';

export interface AuditedOptions {
  readonly stores: Pick<Stores, 'sandboxes'>;
  readonly defaultNamespace: string;
  readonly keep: (entry: AuditEntry, note?: string) => void;
}

interface Act {
  readonly type: string;
  /** Default: the sandbox of the path. */
  readonly resource?: string;
  readonly note: string;
}

/**
 * Acts that are writes of objects: admission logs each of them with whoever made it, so here they only go into the store.
 * What admission does not see is audited where it is done.
 */
const ACTS: Partial<Record<Operation, Act>> = {
  createSandbox: { type: 'SandboxCreated', note: 'The sandbox was created' },
  deleteSandbox: { type: 'SandboxDeleted', note: 'The sandbox was deleted' },
  stopSandbox: { type: 'SandboxStopped', note: 'The sandbox was told to stop' },
  resumeSandbox: { type: 'SandboxResumed', note: 'The sandbox was told to start again' },
  createTemplate: {
    type: 'TemplateCreated',
    resource: 'ClusterSandboxTemplate',
    note: 'A template was created',
  },
  replaceTemplate: {
    type: 'TemplateChanged',
    resource: 'ClusterSandboxTemplate',
    note: 'A template was changed',
  },
  deleteTemplate: {
    type: 'TemplateDeleted',
    resource: 'ClusterSandboxTemplate',
    note: 'A template was deleted',
  },
  replaceClusterPolicy: {
    type: 'PolicyChanged',
    resource: 'ClusterGovernancePolicy',
    note: 'The policy of the cluster was changed',
  },
  deleteClusterPolicy: {
    type: 'PolicyDeleted',
    resource: 'ClusterGovernancePolicy',
    note: 'The policy of the cluster was deleted',
  },
  replacePolicy: {
    type: 'PolicyChanged',
    resource: 'GovernancePolicy',
    note: "A namespace's policy was changed",
  },
  deletePolicy: {
    type: 'PolicyDeleted',
    resource: 'GovernancePolicy',
    note: "A namespace's policy was deleted",
  },
};

/** The same handlers; what some of them have done is kept, and what they have refused. */
export function auditedHandlers(handlers: Handlers, options: AuditedOptions): Handlers {
  const wrapped = Object.entries(ACTS).map(([operation, act]) => [
    operation,
    audited(handlers[operation as Operation] as Handler, act, options),
  ]);
  return { ...handlers, ...(Object.fromEntries(wrapped) as Partial<Handlers>) };
}

function audited(handler: Handler, act: Act, options: AuditedOptions): Handler {
  return async (call) => {
    // Before it is done: what is deleted cannot be found afterwards.
    const found = targetOf(act, call, options);
    try {
      const reply = await handler(call);
      keep(act, call, options, { ...found, ...madeBy(act, reply, options), outcome: 'allowed' });
      return reply;
    } catch (error) {
      const outcome = outcomeOf(error);
      const reason = error instanceof HttpError ? error.body.error : undefined;
      if (outcome !== undefined) keep(act, call, options, { ...found, outcome, reason });
      throw error;
    }
  };
}

type Target = Pick<AuditEntry, 'namespace' | 'name' | 'uid'>;

function keep(
  act: Act,
  { principal, sourceIp }: Call,
  options: AuditedOptions,
  about: Target & Pick<AuditEntry, 'outcome' | 'reason'>,
): void {
  const { sub, email } = principal;
  const resource = act.resource ?? SANDBOXES.kind;
  const note = about.outcome === 'allowed' ? act.note : undefined;
  options.keep({ actor: { sub, email }, action: act.type, resource, sourceIp, ...about }, note);
}

function targetOf(act: Act, { params, query, principal, body }: Call, options: AuditedOptions): Target {
  const given = (body ?? {}) as { readonly name?: unknown; readonly namespace?: unknown };
  const name = params['id'] ?? params['name'] ?? text(given.name);
  const namespace = query.get('namespace') ?? params['namespace'] ?? text(given.namespace);
  return act.resource === undefined
    ? sandboxNamed(name, namespace, principal, options)
    : { name: name || namespace, namespace };
}

/** The one that a request for that name is about; what the caller may not see stays a name. */
function sandboxNamed(
  name: string,
  namespace: string,
  principal: Principal,
  { stores, defaultNamespace }: AuditedOptions,
): Target {
  const mine = stores.sandboxes
    .byIndex(BY_NAME, name)
    .filter(({ metadata }) => namespace === '' || metadata.namespace === namespace)
    .filter((sandbox) => roleOn(principal, sandbox) !== undefined);
  const { metadata } = mine.find((each) => each.metadata.namespace === defaultNamespace) ?? mine[0] ?? {};
  return { name, namespace: metadata?.namespace ?? (namespace || defaultNamespace), uid: metadata?.uid };
}

/** A sandbox that has just been made is in the cache by its own write. */
function madeBy(act: Act, { body }: Reply, { stores }: AuditedOptions): Target {
  if (act.type !== 'SandboxCreated') return {};
  const { name, namespace } = (body ?? {}) as { readonly name?: string; readonly namespace?: string };
  return { name, namespace, uid: stores.sandboxes.get(namespace, name ?? '')?.metadata.uid };
}

/** A mistake in a request is nobody's act. */
function outcomeOf(error: unknown): AuditEntry['outcome'] | undefined {
  const { status } = (error ?? {}) as { readonly status?: unknown };
  if (status === 403) return 'denied';
  return typeof status === 'number' && status >= 400 && status < 500 ? undefined : 'failed';
}

const text = (value: unknown): string => (typeof value === 'string' ? value : '');
