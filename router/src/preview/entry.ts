// SPDX-License-Identifier: Apache-2.0
import { sharedKeyIn } from '@agenttier/machinery/secrets/sharedKey';
import { refusals } from '../api/errors.ts';
import { mappedGroups } from '../auth/namespaces.ts';
import type { GroupNamespaces } from '../auth/namespaces.ts';
import type { Principal } from '../auth/principal.ts';
import { claimsOf, mintTicket } from '../auth/tickets.ts';
import type { Stores } from '../cluster/caches.ts';
import type { Found } from '../cluster/lookup.ts';
import { previewOrigin } from './host.ts';
import type { PreviewSite } from './host.ts';
import { RUNTIME_KEY_SECRET } from '@agenttier/crds/meta/names';

/** Below this path a preview's origin is ours, not the program's. */
export const ENTRY_PATH = '/.agenttier/enter';

/** The installation's key; throws the 503 while there is none. */
export function installKey(keys: Stores['keys']): Uint8Array {
  const key = sharedKeyIn(keys.list().find(({ metadata }) => metadata.name === RUNTIME_KEY_SECRET));
  if (key === undefined) throw refusals.unavailable('the key of the installation has not been made yet');
  return key;
}

interface EntryOptions {
  readonly site: PreviewSite;
  readonly keys: Stores['keys'];
  readonly groupNamespaces: GroupNamespaces;
  readonly now: number;
}

/** A URL that lets whoever opens it first into the preview, in the name of the principal. */
export function entryUrl(
  { site, keys, groupNamespaces, now }: EntryOptions,
  principal: Principal,
  { sandbox, role }: Found,
  { port, path }: { readonly port: number; readonly path: string },
): { readonly url: string; readonly expiresAt: number } {
  const shared = sandbox.spec?.sharing?.groups ?? [];
  const sharing = principal.groups.filter((group) => shared.some(({ identity }) => identity === group));
  // Those that open namespaces are looked at again with each request.
  const groups = [...new Set([...sharing, ...mappedGroups(principal.groups, groupNamespaces)])];
  const about = { purpose: 'preview', sandboxUid: sandbox.metadata.uid ?? '', role, groups } as const;
  const ticket = mintTicket(installKey(keys), claimsOf(principal, about), now);
  const url = new URL(ENTRY_PATH, previewOrigin(site, port, sandbox.metadata));
  url.searchParams.set('ticket', ticket.text);
  if (path !== '/') url.searchParams.set('to', path);
  return { url: url.href, expiresAt: ticket.expiresAt };
}
