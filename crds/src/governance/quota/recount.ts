// SPDX-License-Identifier: Apache-2.0
import { equalJson } from '../../meta/canonical.ts';
import type { Ledger, Reservation } from './ledger.ts';
import { uidOfKey } from './ledger.ts';
import type { Usage } from './tally.ts';
import { usedOf } from './tally.ts';

/** How long a reservation waits for its sandbox before somebody looks whether there is one. */
export const RESERVATION_MS = 30_000;

/** One state of the sandboxes that exist, as far as the caller knows. */
export interface Reality {
  readonly usage: Usage;
  /** Generation of the sandbox with that uid; undefined when none is known. */
  readonly generationOf: (uid: string) => number | undefined;
}

export interface Recount {
  readonly ledger: Ledger;
  readonly changed: boolean;
  /** Reservations whose time is up although nothing is known of their sandboxes: still in the ledger. */
  readonly overdue: readonly (readonly [key: string, reservation: Reservation])[];
  /** Milliseconds of the epoch at which the next reservation will be overdue. */
  readonly nextDue: number | undefined;
}

export interface RecountOptions {
  /** Milliseconds of the epoch. */
  readonly now: number;
  /** Whether people are counted, too. */
  readonly withPeople: boolean;
  /** Overdue keys of which the API server itself was asked, and had nothing. */
  readonly dropped?: ReadonlySet<string>;
}

/**
 * The ledger after reality: usage is what exists, and a reservation goes exactly when what it was for is counted in that
 * usage. Both come from one state, so that nothing is ever in neither; a reservation for what is not known yet stays.
 */
export function recount(ledger: Ledger, reality: Reality, options: RecountOptions): Recount {
  const { now, withPeople, dropped } = options;
  const kept = Object.entries(ledger.reservations ?? {}).filter(
    ([key, reservation]) => !isSettled(key, reservation, reality) && dropped?.has(key) !== true,
  );
  const waiting = kept.filter(([, reservation]) => dueAt(reservation) > now);
  const next = { used: usedOf(reality.usage, withPeople), reservations: Object.fromEntries(kept) };
  const before = { used: ledger.used, reservations: ledger.reservations ?? {} };
  return {
    ledger: next,
    changed: !equalJson(next, before),
    overdue: kept.filter(([, reservation]) => dueAt(reservation) <= now),
    nextDue:
      waiting.length > 0 ? Math.min(...waiting.map(([, reservation]) => dueAt(reservation))) : undefined,
  };
}

/** One whose time cannot be read is overdue. */
function dueAt({ at }: Reservation): number {
  return (Date.parse(at ?? '') || 0) + RESERVATION_MS;
}

/** Whether the state contains what was reserved for, or something that excludes it: a later change of that sandbox. */
export function isSettled(
  key: string,
  { generation }: Reservation,
  { generationOf }: Pick<Reality, 'generationOf'>,
): boolean {
  const known = generationOf(uidOfKey(key));
  return known !== undefined && known > (generation ?? 0);
}
