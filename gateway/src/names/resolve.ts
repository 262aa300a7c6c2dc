// SPDX-License-Identifier: Apache-2.0
import { promises as dns } from 'node:dns';

export type Resolved =
  | { readonly ok: true; readonly addresses: readonly string[] }
  | { readonly ok: false; readonly reason: 'name_not_found' | 'address_closed' };

/** Turns a name into addresses that may be dialled. */
export type Resolve = (host: string) => Promise<Resolved>;

/** The part of node:dns that is asked: answers of the name server alone, without /etc/hosts and search domains. */
export interface NameServer {
  resolve4(host: string): Promise<string[]>;
  resolve6(host: string): Promise<string[]>;
}

const TIMEOUT_MS = 2_000;

export const systemNameServer = (): NameServer => new dns.Resolver({ timeout: TIMEOUT_MS, tries: 2 });

/**
 * Asks once for each connection and hands out what may be dialled: the very addresses that were looked at are connected to,
 * so an answer that changes between look and connection (DNS rebinding) gains nothing.
 */
export function createResolve(server: NameServer, isOpen: (address: string) => boolean): Resolve {
  return async (host) => {
    const [four, six] = await Promise.allSettled([server.resolve4(host), server.resolve6(host)]);
    const found = [four, six].flatMap((one) => (one.status === 'fulfilled' ? one.value : []));
    if (found.length === 0) return { ok: false, reason: 'name_not_found' };
    const addresses = found.filter(isOpen);
    return addresses.length > 0 ? { ok: true, addresses } : { ok: false, reason: 'address_closed' };
  };
}
