// SPDX-License-Identifier: Apache-2.0
import type { Sandbox } from '@agenttier/crds/generated/types';
import { RUNTIME_KEY_SECRET } from '@agenttier/crds/meta/names';
import { sharedKeyIn } from '@agenttier/machinery/secrets/sharedKey';
import { refusals } from '../../api/errors.ts';
import { mayDo, scopeRefusal } from '../../auth/authorize.ts';
import type { Role } from '../../auth/authorize.ts';
import { isExpired, readKeySecret } from '../../auth/keyRecord.ts';
import type { Principal } from '../../auth/principal.ts';
import { bearerOf, claimsOf, mintTicket, TICKET_MS, verifyTicket } from '../../auth/tickets.ts';
import type { Ticket, TicketPurpose } from '../../auth/tickets.ts';
import type { Stores } from '../../cluster/caches.ts';
import type { RuntimeClient } from '../../cluster/runtimeClient.ts';
import { RuntimeLost, RuntimeUnreachable } from '../../cluster/runtimeErrors.ts';
import type { Target } from '../../cluster/target.ts';
import type { Admission } from '../gateway.ts';

export interface TicketDeskOptions {
  readonly stores: Pick<Stores, 'keys' | 'apiKeys'>;
  readonly installNamespace: string;
  readonly runtime: Pick<RuntimeClient, 'request' | 'closed'>;
  readonly now?: () => number;
}

/** What a ticket is for. */
export type TicketUse = Pick<Ticket, 'purpose' | 'target'>;

/** A ticket and whom it speaks for. */
export interface Bearer {
  readonly ticket: Ticket;
  readonly principal: Principal;
}

const ANSWER_MS = 3_000;
/** Replicas' clocks may differ: a nonce is kept longer than the ticket counts. */
const KEPT_MS = 10 * TICKET_MS;
const MAX_KEPT = 100_000;

/**
 * Issues and takes the tickets of terminals and downloads. A ticket counts once: the runtime in the sandbox remembers the nonces
 * that it has seen, and it is where all replicas meet. Where no runtime can be asked (an image without one) only this
 * replica remembers.
 */
export class TicketDesk {
  readonly #options: TicketDeskOptions;
  readonly #now: () => number;
  readonly #used = new Map<string, number>();

  constructor(options: TicketDeskOptions) {
    this.#options = options;
    this.#now = options.now ?? Date.now;
  }

  /** A ticket for something of a sandbox, by default its terminal, for nobody above that role. */
  issue(
    principal: Principal,
    sandbox: Sandbox,
    role: Role,
    use: TicketUse = { purpose: 'terminal' },
  ): { text: string; expiresAt: number } {
    const { uid = '' } = sandbox.metadata;
    const asked = new Set((sandbox.spec?.sharing?.groups ?? []).map(({ identity }) => identity));
    const groups = principal.groups.filter((group) => asked.has(group));
    const claims = claimsOf(principal, { ...use, sandboxUid: uid, role, groups });
    return mintTicket(this.#key(), claims, this.#now());
  }

  /** Reads a ticket; throws the 401 for one that does not count. It is not used up by this. */
  read(text: string, purpose: TicketPurpose = 'terminal'): Bearer {
    const verdict = verifyTicket(this.#key(), text, purpose, this.#now());
    if (!verdict.ok) throw refusals.invalidTicket(`this ticket is ${verdict.why}`);
    const principal = bearerOf(verdict.ticket, (id) => this.#keyHolder(id));
    if (!principal) throw refusals.invalidTicket('the key that this ticket was got with is no more');
    return { ticket: verdict.ticket, principal };
  }

  /**
   * Uses the ticket up; throws the 401 when it has been used. What it gives belongs into the query of the attachment:
   * where the runtime cannot be reached from here, its own program in the pod tells it.
   */
  async spend({ nonce }: Ticket, target: Target): Promise<{ ticket?: string }> {
    this.#spendHere(nonce);
    const { runtime } = this.#options;
    if (runtime.closed(target) !== undefined) return { ticket: nonce };
    try {
      await this.#spendThere(nonce, target);
      return {};
    } catch (error) {
      if (error instanceof RuntimeUnreachable) return { ticket: nonce };
      throw error;
    }
  }

  /** Uses up what nothing in the pod will tell the runtime of, whichever way leads there. */
  async spendAnyWay({ nonce }: Ticket, target: Target): Promise<void> {
    this.#spendHere(nonce);
    await this.#spendThere(nonce, target).catch((error: unknown) => {
      if (error instanceof RuntimeUnreachable || error instanceof RuntimeLost)
        throw refusals.transportLost('the sandbox could not be asked about the ticket; get another one');
      throw error;
    });
  }

  async #spendThere(nonce: string, target: Target): Promise<void> {
    const answer = await this.#options.runtime.request(target, {
      method: 'POST',
      path: `/tickets/${encodeURIComponent(nonce)}`,
      signal: AbortSignal.timeout(ANSWER_MS),
    });
    answer.stream.resume(); // only the status counts
    if (answer.status === 204) return;
    throw answer.status === 409
      ? USED()
      : refusals.transportLost(`the sandbox did not take the ticket (${answer.status})`);
  }

  /** Takes another ticket for a terminal that is open; throws the 401 when it is not for it. */
  async renew(text: string, { seat, target, sandbox }: Admission): Promise<Principal> {
    const { ticket, principal } = this.read(text);
    if (ticket.sandboxUid !== seat.sandboxUid)
      throw refusals.invalidTicket('this ticket is for another sandbox');
    if (principal.sub !== seat.principal.sub) throw refusals.invalidTicket('this ticket is of somebody else');
    const action = seat.mode === 'view' ? 'watch' : 'terminal';
    if (!mayDo(ticket.role, action)) throw refusals.invalidTicket('this ticket is good for watching only');
    const scope = scopeRefusal(principal, action, sandbox.metadata.name ?? '');
    if (scope !== undefined) throw refusals.scopedKey(scope);
    await this.spend(ticket, target);
    return principal;
  }

  #spendHere(nonce: string): void {
    const now = this.#now();
    for (const [old, until] of this.#used) {
      if (until > now && this.#used.size < MAX_KEPT) break; // oldest first
      this.#used.delete(old);
    }
    if (this.#used.has(nonce)) throw USED();
    this.#used.set(nonce, now + KEPT_MS);
  }

  #key(): Uint8Array {
    const secret = this.#options.stores.keys
      .list()
      .find(({ metadata }) => metadata.name === RUNTIME_KEY_SECRET);
    const key = sharedKeyIn(secret);
    if (key === undefined) throw refusals.unavailable('this installation has no key for tickets yet');
    return key;
  }

  #keyHolder(id: string): Principal | undefined {
    const secret = this.#options.stores.apiKeys.get(this.#options.installNamespace, id);
    const record = secret && readKeySecret(secret);
    return record && !isExpired(record, this.#now()) ? record.principal : undefined;
  }
}

const USED = () => refusals.invalidTicket('this ticket has been used: get another one');
