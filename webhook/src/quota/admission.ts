// SPDX-License-Identifier: Apache-2.0
import type { Sandbox } from '@agenttier/crds/generated/types';
import type { PolicyScope } from '@agenttier/crds/governance/effective';
import { checkLimit } from '@agenttier/crds/governance/limit';
import { demandOf, growth, NOTHING } from '@agenttier/crds/governance/quota/demand';
import { reservationKey } from '@agenttier/crds/governance/quota/ledger';
import type { QuotaRequest } from '@agenttier/crds/governance/quota/request';
import { clusterLimits, isLimited, quotaLimits } from '@agenttier/crds/governance/quota/limits';
import type { QuotaLimits } from '@agenttier/crds/governance/quota/limits';
import { NO_POLICY } from '@agenttier/crds/governance/effective';
import {
  CLUSTER_GOVERNANCE_POLICIES,
  GOVERNANCE_POLICIES,
  POLICY_NAME,
  SANDBOXES,
} from '@agenttier/crds/meta/resources';
import type { Violation } from '@agenttier/crds/meta/violation';
import { isKubeError, isNotFound } from '@agenttier/machinery/kube/errors';
import type { KubeClient } from '@agenttier/machinery/kube/client';
import type { Store } from '@agenttier/machinery/reflector/store';
import { systemClock } from '@agenttier/machinery/runtime/clock';
import type { Clock } from '@agenttier/machinery/runtime/clock';
import type { Lookup, LookupStores, PolicySpecs } from '../lookup.ts';
import type { SpecifiedSandbox } from '../sandbox/specified.ts';
import { LedgerError, ScopeLedger } from './scopeLedger.ts';
import type { LedgerObject, ScopeLedgerOptions } from './scopeLedger.ts';

export interface QuotaAdmissionOptions {
  readonly client: Pick<KubeClient, 'get' | 'update'>;
  readonly lookup: Pick<Lookup, 'policySpecs'>;
  readonly stores: Pick<LookupStores, 'policies' | 'clusterPolicies'>;
  readonly onWrite?: ScopeLedgerOptions['onWrite'];
  readonly clock?: Clock;
  readonly random?: () => number;
}

export interface QuotaAsk {
  /** As it will be stored, with uid and name. */
  readonly sandbox: SpecifiedSandbox;
  readonly old: SpecifiedSandbox | undefined;
  readonly namespace: string;
  /** False only asks whether there would be room. */
  readonly commit: boolean;
}

export interface QuotaAnswer {
  readonly violations: readonly Violation[];
  /** A new sandbox has the name of one that is there: it would only eat room until somebody notices. */
  readonly exists?: boolean;
}

/** The whole verdict has 3 s; what is not decided by then is refused in our own words. */
const BUDGET_MS = 2_300;
const FINE: QuotaAnswer = { violations: [] };

/** One policy's part in a decision. */
interface Part {
  readonly ledger: ScopeLedger;
  readonly limits: (spec: PolicySpecs['cluster']) => QuotaLimits;
}

/** Takes room from the quotas of cluster and namespace before a sandbox is stored. */
export class QuotaAdmission {
  readonly #options: QuotaAdmissionOptions;
  readonly #clock: Clock;
  readonly #ledgers = new Map<string, ScopeLedger>();

  constructor(options: QuotaAdmissionOptions) {
    this.#options = options;
    this.#clock = options.clock ?? systemClock;
  }

  /** Never rejects for want of an answer: what cannot be counted is refused as `policy_unavailable`. */
  async admit(ask: QuotaAsk, signal: AbortSignal): Promise<QuotaAnswer> {
    const request = this.#request(ask);
    if (!request) return FINE;
    try {
      const specs = await this.#options.lookup.policySpecs(ask.namespace, { signal });
      return await this.#decide(ask, request, specs);
    } catch (error) {
      return { violations: [unavailable(ask.namespace, error)] };
    }
  }

  async #decide(ask: QuotaAsk, request: QuotaRequest, specs: PolicySpecs): Promise<QuotaAnswer> {
    const parts = this.#parts(ask.namespace, specs);
    if (parts.length === 0) return FINE;
    const missing = missingLimits(ask, specs);
    const commit = ask.commit && missing.length === 0;
    if (commit && !ask.old && (await this.#exists(ask))) return { violations: [], exists: true };
    const until = this.#clock.monotonic() + BUDGET_MS;
    const violations = commit
      ? await reserveAll(parts, request, until)
      : await checkAll(parts, request, until);
    return { violations: [...missing, ...violations] };
  }

  /** Undefined when nothing more is asked for than the sandbox has already. */
  #request({ sandbox, old, namespace }: QuotaAsk): QuotaRequest | undefined {
    const demand = demandOf(sandbox);
    const amounts = growth(demand, old ? demandOf(old) : NOTHING);
    if (!amounts) return undefined;
    const { uid = '', name = '' } = sandbox.metadata;
    const at = new Date(this.#clock.now()).toISOString();
    const generation = old ? (old.metadata.generation ?? 0) : undefined;
    return { uid, namespace, name, user: demand.user, amounts, generation, at };
  }

  /** The ledgers to ask, the cluster's first. */
  #parts(namespace: string, specs: PolicySpecs): Part[] {
    const ofCluster = (spec: PolicySpecs['cluster']): QuotaLimits => clusterLimits(spec, specs.namespace);
    const parts: Part[] = [];
    if (isLimited(ofCluster(specs.cluster))) {
      parts.push({ ledger: this.#ledger(undefined), limits: ofCluster });
    }
    if (isLimited(quotaLimits(specs.namespace))) {
      parts.push({ ledger: this.#ledger(namespace), limits: quotaLimits });
    }
    return parts;
  }

  #ledger(namespace: string | undefined): ScopeLedger {
    const known = this.#ledgers.get(namespace ?? '');
    if (known) return known;
    const { client, stores, onWrite, random } = this.#options;
    const isCluster = namespace === undefined;
    const ledger = new ScopeLedger({
      client,
      clock: this.#clock,
      store: (isCluster ? stores.clusterPolicies : stores.policies) as unknown as Store<LedgerObject>,
      resource: isCluster ? CLUSTER_GOVERNANCE_POLICIES : GOVERNANCE_POLICIES,
      key: { namespace, name: POLICY_NAME },
      scope: isCluster ? 'cluster' : 'namespace',
      ...(onWrite ? { onWrite } : {}),
      ...(random ? { random } : {}),
    });
    this.#ledgers.set(namespace ?? '', ledger);
    return ledger;
  }

  async #exists({ namespace, sandbox }: QuotaAsk): Promise<boolean> {
    const { name = '' } = sandbox.metadata;
    try {
      await this.#options.client.get<Sandbox>(SANDBOXES, { namespace, name }, { timeoutMs: BUDGET_MS });
      return true;
    } catch (error) {
      if (isNotFound(error)) return false;
      throw error;
    }
  }
}

async function checkAll(parts: readonly Part[], request: QuotaRequest, until: number): Promise<Violation[]> {
  const found = parts.map(({ ledger, limits }) => ledger.submit({ kind: 'check', request, limits }, until));
  return (await Promise.all(found)).flat();
}

/** Room in every ledger or in none. Where it fails, all that speaks against the request is said at once. */
async function reserveAll(
  parts: readonly Part[],
  request: QuotaRequest,
  until: number,
): Promise<readonly Violation[]> {
  const taken: Part[] = [];
  for (const [i, part] of parts.entries()) {
    try {
      const { ledger, limits } = part;
      const violations = await ledger.submit({ kind: 'reserve', request, limits }, until);
      if (violations.length > 0) {
        const [others] = await Promise.all([
          checkAll(parts.slice(i + 1), request, until),
          giveBack(taken, request),
        ]);
        return [...violations, ...others];
      }
      taken.push(part);
    } catch (error) {
      await giveBack(taken, request);
      throw error;
    }
  }
  return [];
}

/**
 * What cannot be given back now is given back by the operator when no sandbox comes of it. So is room for a change: a
 * parallel change of the same generation may share the reservation, and be stored.
 */
async function giveBack(taken: readonly Part[], request: QuotaRequest): Promise<void> {
  if (request.generation !== undefined) return;
  const key = reservationKey(request);
  await Promise.all(taken.map(({ ledger }) => ledger.submit({ kind: 'release', key }).catch(() => [])));
}

/** A sum needs summands: under a cap on all CPU every container must say how much it may take. */
function missingLimits({ sandbox, namespace }: QuotaAsk, specs: PolicySpecs): Violation[] {
  const { resolved } = sandbox.spec;
  if (!resolved || sandbox.spec.desiredState === 'Stopped') return [];
  const input = { namespace, spec: sandbox.spec, resolved, policy: NO_POLICY };
  const scopes: [PolicyScope, QuotaLimits][] = [
    ['cluster', clusterLimits(specs.cluster, specs.namespace)],
    ['namespace', quotaLimits(specs.namespace)],
  ];
  return (['cpu', 'memory'] as const).flatMap((resource) => {
    const bound = scopes.find(([, limits]) => limits[resource] !== undefined);
    if (!bound) return [];
    const [scope, limits] = bound;
    return checkLimit(input, resource, { value: limits[resource] ?? '', scope }).filter(
      ({ code }) => code === `${resource}_limit_missing`,
    );
  });
}

function unavailable(namespace: string, error: unknown): Violation {
  if (!(error instanceof LedgerError || isKubeError(error))) throw error;
  const why = isKubeError(error) ? `${error.reason} (${error.status})` : error.message;
  const message = `quotas of namespace ${namespace} cannot be checked: ${why}`;
  return { code: 'policy_unavailable', field: 'metadata.namespace', message };
}
