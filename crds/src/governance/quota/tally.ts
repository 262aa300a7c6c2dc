// SPDX-License-Identifier: Apache-2.0
import type { PolicyStatusUsed } from '../../generated/types.ts';
import { formatQuantity } from '../../meta/quantity.ts';
import type { Amounts, Demand } from './demand.ts';
import { minus, NOTHING, plus } from './demand.ts';

/** Sums of one scope. */
export interface Usage {
  readonly amounts: Amounts;
  readonly perUser: ReadonlyMap<string, number>;
}

interface Sum {
  amounts: Amounts;
  readonly perUser: Map<string, number>;
}

interface Member {
  readonly namespace: string;
  readonly demand: Demand;
}

const EMPTY: Usage = { amounts: NOTHING, perUser: new Map() };

/** Running sums over the sandboxes of each namespace and of the cluster: a change costs the same among any number. */
export class Tally {
  readonly #members = new Map<string, Member>();
  readonly #sums = new Map<string, Sum>();

  /** Puts in, replaces or (without a demand) takes out the sandbox of a key. */
  set(key: string, namespace: string, demand: Demand | undefined): void {
    const old = this.#members.get(key);
    if (old) this.#move(old, minus);
    this.#members.delete(key);
    if (!demand) return;
    const member = { namespace, demand };
    this.#members.set(key, member);
    this.#move(member, plus);
  }

  /** Sums of a namespace, or of the cluster. */
  usage(namespace: string | undefined): Usage {
    return this.#sums.get(namespace ?? '') ?? EMPTY;
  }

  #move({ namespace, demand }: Member, change: typeof plus): void {
    for (const scope of new Set([namespace, ''])) {
      const sum = this.#sums.get(scope) ?? { amounts: NOTHING, perUser: new Map<string, number>() };
      sum.amounts = change(sum.amounts, demand);
      const count = (sum.perUser.get(demand.user) ?? 0) + (change === plus ? 1 : -1);
      if (count > 0) sum.perUser.set(demand.user, count);
      else sum.perUser.delete(demand.user);
      if (sum.amounts.sandboxes === 0) this.#sums.delete(scope);
      else this.#sums.set(scope, sum);
    }
  }
}

/** `status.used`; people are listed only where they are limited, since there may be many. */
export function usedOf({ amounts, perUser }: Usage, withPeople: boolean): PolicyStatusUsed {
  return {
    sandboxes: amounts.sandboxes,
    agentSandboxes: amounts.agentSandboxes,
    cpu: formatQuantity(amounts.cpu),
    memory: formatQuantity(amounts.memory, true),
    storage: formatQuantity(amounts.storage, true),
    ...(withPeople ? { perUser: Object.fromEntries([...perUser].sort(([a], [b]) => (a < b ? -1 : 1))) } : {}),
  };
}
