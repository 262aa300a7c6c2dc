// SPDX-License-Identifier: Apache-2.0
import type { PolicySpec, PolicyStatus } from '@agenttier/crds/generated/types';
import type { PolicyScope } from '@agenttier/crds/governance/effective';
import { isCounted, LedgerDraft } from '@agenttier/crds/governance/quota/ledger';
import type { QuotaRequest } from '@agenttier/crds/governance/quota/request';
import { isLimited } from '@agenttier/crds/governance/quota/limits';
import type { QuotaLimits } from '@agenttier/crds/governance/quota/limits';
import { FIELD_MANAGER_WEBHOOK } from '@agenttier/crds/meta/labels';
import type { Violation } from '@agenttier/crds/meta/violation';
import { isConflict, isNotFound } from '@agenttier/machinery/kube/errors';
import type { KubeClient } from '@agenttier/machinery/kube/client';
import type { KubeObject, ObjectKey, Resource } from '@agenttier/machinery/kube/resource';
import type { Store } from '@agenttier/machinery/reflector/store';
import { systemClock } from '@agenttier/machinery/runtime/clock';
import type { Clock } from '@agenttier/machinery/runtime/clock';

export type LedgerObject = KubeObject & { readonly spec?: PolicySpec; readonly status?: PolicyStatus };

/** One step on a ledger. Limits come from the policy as it is when the step is taken, not when it was asked for. */
export type Step =
  | {
      readonly kind: 'reserve' | 'check';
      readonly request: QuotaRequest;
      readonly limits: (spec: PolicySpec | undefined) => QuotaLimits;
    }
  | { readonly kind: 'release'; readonly key: string };

export interface ScopeLedgerOptions {
  readonly client: Pick<KubeClient, 'get' | 'update'>;
  /** Where a watch keeps the policy; own writes are fed back, so that the next one rarely has to read first. */
  readonly store: Store<LedgerObject>;
  readonly resource: Resource;
  readonly key: ObjectKey;
  readonly scope: PolicyScope;
  readonly clock?: Clock;
  readonly random?: () => number;
  readonly onWrite?: (scope: PolicyScope, result: 'written' | 'lost') => void;
}

/** The ledger cannot be read, written or trusted now; the message ends the sentence "quotas cannot be checked: …". */
export class LedgerError extends Error {}

/** Far more than chance takes; the time of the steps ends first when the API server is slow. */
const TRIES = 12;
/** Within the 3 s that the whole verdict may take, with room for the answer. */
const BUDGET_MS = 2_300;
/**
 * Between a write and the next, per request that shared the former: in a burst more requests share the next one and
 * other writers get their turn, while requests that come one by one never wait.
 */
const GATHER_MS = 4;
const MAX_GATHER_MS = 120;
const BACKOFF_MS = 6;
const MAX_BACKOFF_MS = 60;
/** After a lost write other replicas write, too: for so long the state in memory is likely to be behind. */
const CONTENDED_MS = 1_000;
/** Looking again whether the operator has counted meanwhile. */
const RECOUNT_POLL_MS = 100;

interface Waiting {
  readonly step: Step;
  readonly until: number;
  readonly resolve: (violations: readonly Violation[]) => void;
  readonly reject: (error: unknown) => void;
}

/**
 * The ledger of one policy, kept in its status. Steps that come while a write is under way share the next one, so that
 * any number of parallel requests costs few writes; the write is taken only on the state that it was worked out from.
 */
export class ScopeLedger {
  readonly #options: ScopeLedgerOptions;
  readonly #clock: Clock;
  readonly #random: () => number;
  #waiting: Waiting[] = [];
  #draining = false;
  #contendedUntil = 0;

  constructor(options: ScopeLedgerOptions) {
    this.#options = options;
    this.#clock = options.clock ?? systemClock;
    this.#random = options.random ?? Math.random;
  }

  /**
   * What speaks against the step; empty when it was taken. `until` is a time of the monotonic clock. Rejects with LedgerError or
   * KubeError when nobody can tell.
   */
  submit(step: Step, until = this.#clock.monotonic() + BUDGET_MS): Promise<readonly Violation[]> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ step, until, resolve, reject });
      if (!this.#draining) void this.#drain();
    });
  }

  async #drain(): Promise<void> {
    this.#draining = true;
    try {
      while (this.#waiting.length > 0) {
        const batch = this.#waiting.splice(0);
        await this.#commit(batch);
        const pause = Math.min(MAX_GATHER_MS, GATHER_MS * (batch.length - 1));
        if (pause > 0) await this.#clock.sleep(pause * (0.5 + this.#random() / 2));
      }
    } finally {
      this.#draining = false;
    }
  }

  /** Settles every step of the batch, whatever happens. */
  async #commit(batch: Waiting[]): Promise<void> {
    try {
      for (let attempt = 0; attempt < TRIES; attempt++) {
        if (await this.#attempt(batch, attempt === 0)) return;
        this.#contendedUntil = this.#clock.monotonic() + CONTENDED_MS;
        await this.#clock.sleep(Math.min(MAX_BACKOFF_MS, BACKOFF_MS * 2 ** attempt) * this.#random());
        batch.push(...this.#waiting.splice(0));
        this.#giveUp(batch);
        if (batch.length === 0) return;
      }
      throw new LedgerError('others keep changing the ledger; try again');
    } catch (error) {
      for (const { reject } of batch) reject(error);
    }
  }

  /** Steps whose time is over are answered before their callers stop listening. */
  #giveUp(batch: Waiting[]): void {
    const now = this.#clock.monotonic();
    const late = batch.filter(({ until }) => until <= now);
    for (const { reject } of late)
      reject(new LedgerError('the ledger could not be written in time; try again'));
    const left = batch.filter(({ until }) => until > now);
    batch.splice(0, batch.length, ...left);
  }

  /** True when every step is settled, false when another writer was faster. */
  async #attempt(batch: readonly Waiting[], first: boolean): Promise<boolean> {
    const remembered = first && this.#clock.monotonic() >= this.#contendedUntil;
    const stored = remembered ? this.#stored(batch) : undefined;
    const fromMemory = stored && planOf(stored, batch, this.#options.scope);
    // Only what is going to be written is worked out from memory, since the write proves it. A refusal is not: what was
    // deleted a moment ago has made room.
    if (fromMemory?.draft.changed && fromMemory.outcomes.every((violations) => violations.length === 0)) {
      return this.#carryOut(stored as LedgerObject, fromMemory, batch);
    }
    const base = await this.#counted(batch);
    if (!base) return settle(batch, []);
    return this.#carryOut(base, planOf(base, batch, this.#options.scope), batch);
  }

  async #carryOut(
    base: LedgerObject,
    { draft, outcomes }: Plan,
    batch: readonly Waiting[],
  ): Promise<boolean> {
    if (draft.changed && !(await this.#write(base, draft))) return false;
    return settle(batch, outcomes);
  }

  #stored(batch: readonly Waiting[]): LedgerObject | undefined {
    const { store, key } = this.#options;
    const object = store.get(key.namespace, key.name);
    return object && isReady(object, batch) ? object : undefined;
  }

  /** The policy as it is now, once the operator has counted for it; undefined when there is none any more. */
  async #counted(batch: readonly Waiting[]): Promise<LedgerObject | undefined> {
    const until = Math.min(...batch.map((waiting) => waiting.until));
    for (;;) {
      const object = await this.#read();
      if (!object || isReady(object, batch)) return object;
      if (this.#clock.monotonic() + RECOUNT_POLL_MS >= until) {
        throw new LedgerError(
          'the operator has not counted the sandboxes yet; see whether agenttier-operator runs',
        );
      }
      await this.#clock.sleep(RECOUNT_POLL_MS);
    }
  }

  async #read(): Promise<LedgerObject | undefined> {
    const { client, resource, key } = this.#options;
    try {
      return await client.get<LedgerObject>(resource, key, { timeoutMs: BUDGET_MS });
    } catch (error) {
      if (isNotFound(error)) return undefined;
      throw error;
    }
  }

  async #write(base: LedgerObject, draft: LedgerDraft): Promise<boolean> {
    const { client, resource, store, scope, onWrite } = this.#options;
    const body = { ...base, status: { ...base.status, ...draft.ledger() } };
    const how = { subresource: 'status', fieldManager: FIELD_MANAGER_WEBHOOK, timeoutMs: BUDGET_MS };
    try {
      store.applyLocal(slimLedger(await client.update<LedgerObject>(resource, body, how)));
      onWrite?.(scope, 'written');
      return true;
    } catch (error) {
      if (!isConflict(error) && !isNotFound(error)) throw error;
      onWrite?.(scope, 'lost');
      return false;
    }
  }
}

function settle(batch: readonly Waiting[], outcomes: readonly (readonly Violation[])[]): true {
  for (const [i, { resolve }] of batch.entries()) resolve(outcomes[i] ?? []);
  return true;
}

/** What of a policy is kept in memory. */
export function slimLedger({ apiVersion, kind, metadata, spec, status }: LedgerObject): LedgerObject {
  const { managedFields: _fields, annotations: _annotations, ...rest } = metadata;
  return {
    ...(apiVersion === undefined ? {} : { apiVersion }),
    ...(kind === undefined ? {} : { kind }),
    metadata: rest,
    ...(spec === undefined ? {} : { spec }),
    ...(status === undefined ? {} : { status }),
  };
}

/** Whether the operator has counted everything that the limits of the batch are about. */
function isReady({ spec, status }: LedgerObject, batch: readonly Waiting[]): boolean {
  return batch.every(({ step }) => {
    if (step.kind === 'release') return true;
    const limits = step.limits(spec);
    return !isLimited(limits) || isCounted(status ?? {}, limits);
  });
}

interface Plan {
  readonly draft: LedgerDraft;
  readonly outcomes: readonly (readonly Violation[])[];
}

function planOf(base: LedgerObject, batch: readonly Waiting[], scope: PolicyScope): Plan {
  const draft = new LedgerDraft(base.status ?? {});
  const outcomes = batch.map(({ step }) => {
    if (step.kind === 'release') {
      draft.release(step.key);
      return [];
    }
    const limits = step.limits(base.spec);
    if (!isLimited(limits)) return [];
    if (step.kind === 'check') return draft.check(step.request, limits, scope);
    if (draft.isFull)
      throw new LedgerError('too many reservations wait for agenttier-operator; see whether it runs');
    return draft.reserve(step.request, limits, scope);
  });
  return { draft, outcomes };
}
