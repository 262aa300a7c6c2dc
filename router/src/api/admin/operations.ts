// SPDX-License-Identifier: Apache-2.0
import type { Sandbox } from '@agenttier/crds/generated/types';
import { readKeySecret } from '../../auth/keyRecord.ts';
import type { KeyRecord } from '../../auth/keyRecord.ts';
import type { Stores } from '../../cluster/caches.ts';
import { visibleSandboxes } from '../../cluster/lookup.ts';
import type { Handlers } from '../contract.ts';
import { keyView } from '../keys/operations.ts';
import { byKey, pageOf } from '../page.ts';
import type { Call, Reply } from '../route.ts';
import type { SandboxRow, SandboxRows } from '../sandboxes/rows.ts';
import { sharingView } from '../sharing/changes.ts';

export interface AdminOptions {
  readonly stores: Pick<Stores, 'sandboxes' | 'apiKeys'>;
  readonly rows: SandboxRows;
}

/** What only administrators may look over. */
export function adminOperations(
  options: AdminOptions,
): Pick<Handlers, 'listAllSandboxes' | 'listAllSharing'> {
  return {
    listAllSandboxes: (call) => listAllSandboxes(options, call),
    listAllSharing: (call) => listAllSharing(options, call),
  };
}

interface Placed {
  readonly sandbox: Sandbox;
  readonly row: SandboxRow;
}

const orderOf = ({ row }: Placed): string => row.order;

function allIn({ stores, rows }: AdminOptions, { query, principal }: Call): Placed[] {
  const namespace = query.get('namespace');
  return visibleSandboxes(stores.sandboxes, principal)
    .filter(({ metadata }) => !namespace || metadata.namespace === namespace)
    .map((sandbox) => ({ sandbox, row: rows.of(sandbox) }))
    .sort(byKey(orderOf));
}

/** Every sandbox, with the keys that are bound to it. */
function listAllSandboxes(options: AdminOptions, call: Call): Reply {
  const { items, ...rest } = pageOf(allIn(options, call), call.query, orderOf);
  const keys = Map.groupBy(boundKeys(options), ({ principal }) => principal.key?.sandboxId);
  const sandboxes = items.map(({ sandbox, row }) => {
    const own = (keys.get(row.view.name) ?? []).filter((key) => isBoundTo(key, sandbox));
    return own.length === 0 ? row.view : { ...row.view, scopedApiKeys: own.map(keyView) };
  });
  return { status: 200, body: { sandboxes, ...rest } };
}

const boundKeys = ({ stores }: AdminOptions): KeyRecord[] =>
  stores.apiKeys
    .list()
    .flatMap((secret) => readKeySecret(secret) ?? [])
    .filter(({ principal }) => principal.key?.sandboxId !== undefined);

/** A key of old names the sandbox alone; one that names its namespace or uid means that very one. */
function isBoundTo({ principal }: KeyRecord, { metadata }: Sandbox): boolean {
  const { sandboxNamespace, sandboxUid } = principal.key ?? {};
  if (sandboxUid !== undefined && sandboxUid !== metadata.uid) return false;
  return sandboxNamespace === undefined || sandboxNamespace === metadata.namespace;
}

/** Every sandbox that somebody beside its owner can use, and by what. */
function listAllSharing(options: AdminOptions, call: Call): Reply {
  const shared = allIn(options, call).filter(({ sandbox }) => isShared(sandbox));
  const { items, ...rest } = pageOf(shared, call.query, orderOf);
  const sandboxes = items.map(({ sandbox, row: { view } }) => ({
    sandboxId: view.sandboxId,
    namespace: view.namespace,
    ...(view.createdBy ? { createdBy: view.createdBy } : {}),
    ...sharingView(sandbox.spec?.sharing ?? {}),
  }));
  return { status: 200, body: { sandboxes, ...rest } };
}

function isShared({ spec }: Sandbox): boolean {
  const { users = [], groups = [], shareLinks = [] } = spec?.sharing ?? {};
  return users.length + groups.length + shareLinks.length > 0;
}
