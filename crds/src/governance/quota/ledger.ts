// SPDX-License-Identifier: Apache-2.0
import type { PolicyStatus, PolicyStatusReservationsValue } from '../../generated/types.ts';
import { formatQuantity } from '../../meta/quantity.ts';
import type { Violation } from '../../meta/violation.ts';
import type { PolicyScope } from '../effective.ts';
import type { Amounts } from './demand.ts';
import { growth, minus, NOTHING, plus, thousandths } from './demand.ts';
import type { QuotaLimits } from './limits.ts';
import type { QuotaRequest } from './request.ts';
import { quotaViolations } from './violations.ts';

export type Reservation = PolicyStatusReservationsValue;
/** The part of a policy's status that is the ledger. */
export type Ledger = Pick<PolicyStatus, 'used' | 'reservations'>;

/**
 * Above this many reservations something is wrong with whoever turns them into usage, and the object would come near
 * what etcd stores.
 */
export const MAX_RESERVATIONS = 4_000;

/**
 * A change is told by the generation that it starts from: of several changes of one generation at most one is stored, so
 * they share a reservation.
 */
export function reservationKey({ uid, generation }: Pick<QuotaRequest, 'uid' | 'generation'>): string {
  return generation === undefined ? uid : `${uid}.${generation}`;
}

export function uidOfKey(key: string): string {
  return key.split('.', 1)[0] ?? '';
}

/** False until the operator has counted what the limits are about: before that nobody knows what is left. */
export function isCounted({ used }: Ledger, limits: QuotaLimits): boolean {
  return used?.sandboxes !== undefined && (limits.perUser === undefined || used.perUser !== undefined);
}

/** Several steps on one state of a ledger, to be written at once. */
export class LedgerDraft {
  readonly #ledger: Ledger;
  readonly #reservations: Map<string, Reservation>;
  readonly #people = new Map<string, number>();
  #taken: Amounts;
  #changed = false;

  constructor(ledger: Ledger) {
    this.#ledger = ledger;
    this.#reservations = new Map(Object.entries(ledger.reservations ?? {}));
    this.#taken = usedAmounts(ledger);
    for (const reservation of this.#reservations.values()) this.#take(reservation, plus);
  }

  get changed(): boolean {
    return this.#changed;
  }

  get isFull(): boolean {
    return this.#reservations.size >= MAX_RESERVATIONS;
  }

  /** What speaks against the request; nothing is taken. */
  check(request: QuotaRequest, limits: QuotaLimits, scope: PolicyScope): Violation[] {
    const present = this.#reservations.get(reservationKey(request));
    const before = present ? reservedAmounts(present) : NOTHING;
    const more = growth(request.amounts, before);
    if (!more) return [];
    const taken = { amounts: this.#taken, ofUser: this.#ofUser(request.user) };
    return quotaViolations({ request, more, taken, limits, scope });
  }

  /**
   * Takes the room when nothing speaks against it. Asking twice for the same takes it once, but its time begins anew: who
   * asks last may be the one that is stored, and must not find the reservation of an earlier one run out.
   */
  reserve(request: QuotaRequest, limits: QuotaLimits, scope: PolicyScope): Violation[] {
    const violations = this.check(request, limits, scope);
    if (violations.length > 0) return violations;
    const key = reservationKey(request);
    const present = this.#reservations.get(key);
    const before = present ? reservedAmounts(present) : NOTHING;
    const more = growth(request.amounts, before);
    const at = laterOf(request.at, present?.at);
    if (!more && at === present?.at) return [];
    if (present) this.#take(present, minus);
    const next = reservationOf({ ...request, at }, plus(before, more ?? NOTHING));
    this.#reservations.set(key, next);
    this.#take(next, plus);
    this.#changed = true;
    return [];
  }

  /** Gives back what was reserved under a key, if it is still there. */
  release(key: string): void {
    const present = this.#reservations.get(key);
    if (!present) return;
    this.#take(present, minus);
    this.#reservations.delete(key);
    this.#changed = true;
  }

  ledger(): Ledger {
    return { ...this.#ledger, reservations: Object.fromEntries(this.#reservations) };
  }

  /** Room that is neither used nor reserved has this beside it. */
  taken(): Amounts {
    return this.#taken;
  }

  #ofUser(user: string): number {
    const perUser = this.#ledger.used?.perUser;
    const used = perUser && Object.hasOwn(perUser, user) ? perUser[user] : 0;
    return (used ?? 0) + (this.#people.get(user) ?? 0);
  }

  #take(reservation: Reservation, change: typeof plus): void {
    const amounts = reservedAmounts(reservation);
    this.#taken = change(this.#taken, amounts);
    const user = reservation.user ?? '';
    const sign = change === plus ? 1 : -1;
    this.#people.set(user, (this.#people.get(user) ?? 0) + sign * amounts.sandboxes);
  }
}

function usedAmounts({ used }: Ledger): Amounts {
  return {
    sandboxes: used?.sandboxes ?? 0,
    agentSandboxes: used?.agentSandboxes ?? 0,
    cpu: thousandths(used?.cpu),
    memory: thousandths(used?.memory),
    storage: thousandths(used?.storage),
  };
}

function reservedAmounts(reservation: Reservation): Amounts {
  return {
    sandboxes: reservation.generation === undefined ? 1 : 0,
    agentSandboxes: reservation.agent === true ? 1 : 0,
    cpu: thousandths(reservation.cpu),
    memory: thousandths(reservation.memory),
    storage: thousandths(reservation.storage),
  };
}

/** Clocks of replicas differ a little; one that cannot be read is earlier. */
function laterOf(at: string, other: string | undefined): string {
  return other !== undefined && Date.parse(other) >= Date.parse(at) ? other : at;
}

function reservationOf(request: QuotaRequest, amounts: Amounts): Reservation {
  const { at, namespace, name, user, generation } = request;
  return {
    at,
    namespace,
    name,
    user,
    ...(generation === undefined ? {} : { generation }),
    ...(amounts.agentSandboxes > 0 ? { agent: true } : {}),
    ...(amounts.cpu > 0n ? { cpu: formatQuantity(amounts.cpu) } : {}),
    ...(amounts.memory > 0n ? { memory: formatQuantity(amounts.memory, true) } : {}),
    ...(amounts.storage > 0n ? { storage: formatQuantity(amounts.storage, true) } : {}),
  };
}
