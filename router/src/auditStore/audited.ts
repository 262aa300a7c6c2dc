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
import { ACTS, BATCH_ACTS } from './acts.ts';
import type { Act } from './acts.ts';

export interface AuditedOptions {
  readonly stores: Pick<Stores, 'sandboxes'>;
  readonly defaultNamespace: string;
  /** Into the store alone. */
  readonly keep: (entry: AuditEntry, note?: string) => void;
  /** Into the log, and the store. */
  readonly audit: (entry: AuditEntry) => void;
}

type Target = Pick<AuditEntry, 'namespace' | 'name' | 'uid'>;

/** The same handlers; what some of them have done is kept, and what they have refused. */
export function auditedHandlers(handlers: Handlers, options: AuditedOptions): Handlers {
  const wrapped = Object.entries(ACTS).map(([operation, act]) => [
    operation,
    audited(handlers[operation as Operation] as Handler, act, options),
  ]);
  return {
    ...handlers,
    ...(Object.fromEntries(wrapped) as Partial<Handlers>),
    createSandboxes: inBatch(handlers.createSandboxes as Handler, options),
    actOnSandboxes: inBatch(handlers.actOnSandboxes as Handler, options),
  };
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

/** Each member that was done is an act of its own. */
function inBatch(handler: Handler, options: AuditedOptions): Handler {
  return async (call) => {
    const { ids = [], action = 'created' } = (call.body ?? {}) as {
      readonly ids?: readonly string[];
      readonly action?: keyof typeof BATCH_ACTS;
    };
    const namespace = call.query.get('namespace') ?? '';
    const known = new Map(ids.map((id) => [id, sandboxNamed(id, namespace, call.principal, options)]));
    const reply = await handler(call);
    const { results = [] } = (reply.body ?? {}) as { readonly results?: readonly BatchResult[] };
    for (const result of results.filter(({ status }) => status !== 'error')) {
      const target = known.get(result.id ?? '') ?? stored(options, result.namespace, result.sandboxId);
      keep(BATCH_ACTS[action], call, options, { ...target, outcome: 'allowed' });
    }
    return reply;
  };
}

interface BatchResult {
  readonly status: string;
  readonly id?: string;
  readonly sandboxId?: string;
  readonly namespace?: string;
}

function keep(
  act: Act,
  { principal, sourceIp, query }: Call,
  options: AuditedOptions,
  about: Target & Pick<AuditEntry, 'outcome' | 'reason'>,
): void {
  // Nothing has been done then.
  if (query.get('dryRun') === 'true') return;
  const { sub, email } = principal;
  const resource = act.resource ?? SANDBOXES.kind;
  const entry: AuditEntry = { actor: { sub, email }, action: act.type, resource, sourceIp, ...about };
  if (act.unseen) options.audit(entry);
  else options.keep(entry, about.outcome === 'allowed' ? act.note : undefined);
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
function madeBy(act: Act, { body }: Reply, options: AuditedOptions): Target {
  if (act !== ACTS.createSandbox) return {};
  const { name, namespace } = (body ?? {}) as { readonly name?: string; readonly namespace?: string };
  return stored(options, namespace, name);
}

const stored = ({ stores }: AuditedOptions, namespace: string | undefined, name = ''): Target => ({
  namespace,
  name,
  uid: stores.sandboxes.get(namespace, name)?.metadata.uid,
});

/** A mistake in a request is nobody's act. */
function outcomeOf(error: unknown): AuditEntry['outcome'] | undefined {
  const { status } = (error ?? {}) as { readonly status?: unknown };
  if (status === 403) return 'denied';
  return typeof status === 'number' && status >= 400 && status < 500 ? undefined : 'failed';
}

const text = (value: unknown): string => (typeof value === 'string' ? value : '');
