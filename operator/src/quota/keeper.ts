// SPDX-License-Identifier: Apache-2.0
import type { PolicySpec, PolicyStatus, Sandbox } from '@agenttier/crds/generated/types';
import { uidOfKey } from '@agenttier/crds/governance/quota/ledger';
import type { Reservation } from '@agenttier/crds/governance/quota/ledger';
import { quotaLimits } from '@agenttier/crds/governance/quota/limits';
import { recount } from '@agenttier/crds/governance/quota/recount';
import type { Recount } from '@agenttier/crds/governance/quota/recount';
import { FIELD_MANAGER_OPERATOR } from '@agenttier/crds/meta/labels';
import {
  CLUSTER_GOVERNANCE_POLICIES,
  GOVERNANCE_POLICIES,
  POLICY_NAME,
  SANDBOXES,
} from '@agenttier/crds/meta/resources';
import type { KubeClient } from '@agenttier/machinery/kube/client';
import { isConflict, isNotFound } from '@agenttier/machinery/kube/errors';
import type { KubeObject } from '@agenttier/machinery/kube/resource';
import type { Store } from '@agenttier/machinery/reflector/store';
import type { Caches } from '../caches.ts';
import type { SandboxCounts } from './counts.ts';

export type Policy = KubeObject & { readonly spec?: PolicySpec; readonly status?: PolicyStatus };

export interface KeeperOptions {
  readonly client: Pick<KubeClient, 'get' | 'update'>;
  readonly caches: Pick<Caches, 'policies' | 'clusterPolicies'>;
  readonly counts: SandboxCounts;
  /** Milliseconds of the epoch. */
  readonly now?: () => number;
}

const TRIES = 6;
const RECOUNT_MS = 60_000;
/** Overdue reservations whose sandboxes could not be looked for, or are stored and not in the cache yet. */
const OVERDUE_MS = 2_000;
/** Sandboxes looked for at a time. */
const LOOKS = 50;

/**
 * Makes the ledger of one scope agree with what exists: reservations become usage, usage of what is gone is given up.
 * The write is taken only on the state that it was worked out from, so that no reservation made meanwhile is lost.
 * Resolves to the milliseconds after which to come again, or undefined where there is no policy. Rejects with KubeError.
 */
export async function keepLedger(
  options: KeeperOptions,
  namespace: string | undefined,
  signal: AbortSignal,
): Promise<number | undefined> {
  const { now = Date.now } = options;
  let policy = policyOf(options.caches, namespace);
  for (let attempt = 1; policy; attempt++) {
    const result = await counted(options, { policy, namespace, signal });
    if (!result.changed || (await write(options, { policy, namespace, signal, result, attempt }))) {
      if (result.overdue.length > 0) return OVERDUE_MS;
      return Math.min(RECOUNT_MS, Math.max(0, (result.nextDue ?? Number.POSITIVE_INFINITY) - now()));
    }
    policy = await read(options, namespace, signal);
  }
  return undefined;
}

export function policyOf(caches: KeeperOptions['caches'], namespace: string | undefined): Policy | undefined {
  return storeOf(caches, namespace).get(namespace, POLICY_NAME);
}

function storeOf(
  { policies, clusterPolicies }: KeeperOptions['caches'],
  namespace: string | undefined,
): Store<Policy> {
  return (namespace === undefined ? clusterPolicies : policies) as unknown as Store<Policy>;
}

const resourceOf = (namespace: string | undefined) =>
  namespace === undefined ? CLUSTER_GOVERNANCE_POLICIES : GOVERNANCE_POLICIES;

interface Turn {
  readonly policy: Policy;
  readonly namespace: string | undefined;
  readonly signal: AbortSignal;
}

async function counted(options: KeeperOptions, turn: Turn): Promise<Recount> {
  const { policy, namespace } = turn;
  const { counts, now = Date.now } = options;
  const withPeople = quotaLimits(policy.spec).perUser !== undefined;
  const first = recount(policy.status ?? {}, counts.reality(namespace), { now: now(), withPeople });
  if (first.overdue.length === 0) return first;
  const dropped = await missing(options, first.overdue.slice(0, LOOKS), turn.signal);
  return recount(policy.status ?? {}, counts.reality(namespace), { now: now(), withPeople, dropped });
}

/** True when written, false when another writer was faster. */
async function write(
  { client, caches }: KeeperOptions,
  { policy, namespace, signal, result, attempt }: Turn & { result: Recount; attempt: number },
): Promise<boolean> {
  const body = { ...policy, status: { ...policy.status, ...result.ledger } };
  const how = { subresource: 'status', fieldManager: FIELD_MANAGER_OPERATOR, signal };
  try {
    const { managedFields: _, ...metadata } = (await client.update<Policy>(resourceOf(namespace), body, how))
      .metadata;
    storeOf(caches, namespace).applyLocal({ ...body, metadata });
    return true;
  } catch (error) {
    const again = attempt < TRIES && (isConflict(error) || isNotFound(error));
    if (!again) throw error;
    return false;
  }
}

async function read(
  { client }: KeeperOptions,
  namespace: string | undefined,
  signal: AbortSignal,
): Promise<Policy | undefined> {
  return client
    .get<Policy>(resourceOf(namespace), { namespace, name: POLICY_NAME }, { signal })
    .catch(absent);
}

function absent(error: unknown): undefined {
  if (!isNotFound(error)) throw error;
}

/**
 * The reservations that nothing came of. The API server is asked, not the cache: a watch that lags would make room for
 * what is taken.
 */
async function missing(
  { client }: KeeperOptions,
  overdue: Recount['overdue'],
  signal: AbortSignal,
): Promise<ReadonlySet<string>> {
  const looks = overdue.map(async ([key, reservation]) => {
    const { namespace, name } = reservation;
    if (!namespace || !name) return key;
    const found = await client.get<Sandbox>(SANDBOXES, { namespace, name }, { signal }).catch(absent);
    return cameTrue(found, uidOfKey(key), reservation) ? undefined : key;
  });
  const keys = await Promise.all(looks);
  return new Set(keys.filter((key) => key !== undefined));
}

function cameTrue(found: Sandbox | undefined, uid: string, { generation }: Reservation): boolean {
  return found?.metadata.uid === uid && (found.metadata.generation ?? 1) > (generation ?? 0);
}
