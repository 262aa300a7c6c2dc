// SPDX-License-Identifier: Apache-2.0
import type { Sandbox } from '@agenttier/crds/generated/types';
import type { KubeObject } from '@agenttier/machinery/kube/resource';
import type { StoreEvent } from '@agenttier/machinery/reflector/store';
import type { Policy } from '../api/governance/policies.ts';
import { policyBody } from '../api/governance/writes.ts';
import { namespaceAllowed } from '../auth/authorize.ts';
import type { Principal } from '../auth/principal.ts';
import { groupReader, readersOf, userReader } from '../cluster/caches.ts';

/** Who sees something: everybody, nobody, or administrators and those who are filed under these keys of the reader index. */
export type Audience = 'everybody' | 'nobody' | readonly string[];

export type ChangeType = 'added' | 'modified' | 'deleted';

/** One change of one object, with who saw it before and who sees it now. */
export interface Change {
  readonly kind: 'sandbox' | 'template' | 'warmpool' | 'policy' | 'webhook' | 'key';
  readonly namespace?: string | undefined;
  readonly name: string;
  readonly before: Audience;
  readonly after: Audience;
  /** As GET shows it now; nobody sees it when `after` says so. */
  readonly view: object;
}

/** One who follows the changes. */
export interface Reader {
  readonly principal: Principal;
  readonly keys: ReadonlySet<string>;
  /** The only namespace that is asked about, beside what belongs to none. */
  readonly namespace?: string | undefined;
}

export function readerOf(principal: Principal): Reader {
  const { sub, email, groups } = principal;
  const keys = [userReader(sub), ...(email ? [userReader(email)] : []), ...groups.map(groupReader)];
  return { principal, keys: new Set(keys) };
}

/** What a change means to somebody; undefined = nothing. Whoever is no longer shared with is told that it is gone. */
export function meaningOf(change: Change, reader: Reader): ChangeType | undefined {
  if (change.namespace !== undefined && !isAsked(change.namespace, reader)) return undefined;
  const saw = isAmong(change.before, reader);
  const sees = isAmong(change.after, reader);
  if (sees) return saw ? 'modified' : 'added';
  return saw ? 'deleted' : undefined;
}

const isAsked = (namespace: string, { principal, namespace: only }: Reader): boolean =>
  (only === undefined || only === namespace) && namespaceAllowed(principal, namespace);

function isAmong(audience: Audience, { principal, keys }: Reader): boolean {
  if (typeof audience === 'string') return audience === 'everybody';
  return principal.isAdmin || audience.some((key) => keys.has(key));
}

/** The change that a store told of; undefined when nothing that anybody is shown differs. */
export function sandboxChange(
  { type, object, old }: StoreEvent<Sandbox>,
  shown: (sandbox: Sandbox) => { readonly view: object; readonly json: string },
): Change | undefined {
  const before = type === 'added' || old === undefined ? 'nobody' : readersOf(old);
  const after = type === 'deleted' ? 'nobody' : readersOf(object);
  const { view, json } = shown(object);
  if (type === 'modified' && old !== undefined && json === shown(old).json && sameKeys(before, after)) {
    return undefined;
  }
  return { kind: 'sandbox', ...placeOf(object), before, after, view };
}

const sameKeys = (a: Audience, b: Audience): boolean => keysText(a) === keysText(b);

const keysText = (audience: Audience): string =>
  typeof audience === 'string' ? audience : audience.join('\n');

/** Of a kind that everybody who is signed in may see. */
export function openChange<T extends KubeObject>(
  kind: Change['kind'],
  { type, object, old }: StoreEvent<T>,
  viewOf: (object: T) => object,
): Change | undefined {
  const view = viewOf(object);
  if (type === 'modified' && old && JSON.stringify(viewOf(old)) === JSON.stringify(view)) return undefined;
  const before = type === 'added' ? 'nobody' : 'everybody';
  return { kind, ...placeOf(object), before, after: type === 'deleted' ? 'nobody' : 'everybody', view };
}

/** Of a kind of which people see their own, and administrators everybody's. */
export function ownChange<T extends KubeObject>(
  kind: Change['kind'],
  event: StoreEvent<T>,
  { viewOf, ownerOf }: { viewOf: (object: T) => object; ownerOf: (object: T) => string | undefined },
): Change | undefined {
  const change = openChange(kind, event, viewOf);
  const owner = ownerOf(event.object);
  if (change === undefined || owner === undefined) return undefined;
  const own = (audience: Audience): Audience => (audience === 'nobody' ? audience : [userReader(owner)]);
  return { ...change, before: own(change.before), after: own(change.after) };
}

/**
 * What of a policy is told: its text, and how much of today it would refuse. The rest of its status is the ledger, which
 * changes with every admission and tells nobody anything.
 */
export const policyView = (policy: Policy): object => {
  const { resourceVersion: _, ...body } = policyBody(policy.metadata.namespace, policy);
  return body;
};

const placeOf = ({ metadata }: KubeObject): Pick<Change, 'namespace' | 'name'> => ({
  ...(metadata.namespace ? { namespace: metadata.namespace } : {}),
  name: metadata.name ?? '',
});
