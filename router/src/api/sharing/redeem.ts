// SPDX-License-Identifier: Apache-2.0
import type { Sandbox } from '@agenttier/crds/generated/types';
import { redeem } from '@agenttier/crds/sandbox/shareLinks';
import type { Sharing } from '@agenttier/crds/sandbox/shareLinks';
import type { SandboxAudit } from '../../audit.ts';
import { namespaceAllowed, roleOn } from '../../auth/authorize.ts';
import type { Principal } from '../../auth/principal.ts';
import { BY_LINK } from '../../cluster/caches.ts';
import type { Stores } from '../../cluster/caches.ts';
import { refusals } from '../errors.ts';
import type { Call, Handler } from '../route.ts';
import { hashToken, looksLikeToken, sameHash } from './token.ts';
import { writeSharing } from './write.ts';
import type { SharingWriter } from './write.ts';

export interface RedeemOptions extends SharingWriter {
  readonly audit: SandboxAudit;
  readonly now?: () => number;
  /** How long a link that is not known yet is waited for, in milliseconds. */
  readonly patienceMs?: number;
}

/** A link made through another replica a moment ago is told by the watch before this is over. */
const PATIENCE_MS = 1_000;

/**
 * `POST /share-links/redeem`: whoever is signed in and holds the secret of a link becomes one of the sandbox's users. The
 * write is the person's own: admission lets a person behind the router add himself at the level of a link that is open, with
 * the use counted (isRedemption), and this process sees to it that the person has the secret. Written with the version that
 * was read, so a link is redeemed `maxUses` times and not once more, through however many replicas.
 */
export function redeemOperation(options: RedeemOptions): Handler<{ token: string }> {
  const { now = Date.now } = options;
  return async (call) => {
    const { principal } = call;
    const { sandbox, id } = await linkOf(options, call);
    let counted = false;
    const written = await writeSharing(options, call, sandbox, (sharing, current) => {
      const role = roleOn(principal, current);
      if (role === 'owner' || role === 'admin') return undefined;
      const taken = take(sharing, id, { sub: principal.sub, now: now() });
      counted ||= taken !== undefined;
      return taken;
    });
    if (counted) {
      const note = 'Somebody came by a link and may use the sandbox now';
      const { sourceIp } = call;
      options.audit(written, { action: 'ShareLinkRedeemed', principal, note, reason: id, sourceIp });
    }
    const { name = '', namespace = '' } = written.metadata;
    return { status: 200, body: { sandboxId: name, name, namespace, level: levelOf(principal, written) } };
  };
}

function take(sharing: Sharing, id: string, redeemer: { sub: string; now: number }): Sharing | undefined {
  const taken = redeem(sharing, id, redeemer);
  if (taken.ok) return taken.sharing;
  if (taken.why === 'needless') return undefined;
  if (taken.why === 'unknown') throw refusals.shareLinkNotFound();
  throw refusals.shareLinkSpent(taken.why === 'expired' ? 'has expired' : 'was used as often as it may be');
}

const levelOf = (principal: Principal, sandbox: Sandbox): string => {
  const role = roleOn(principal, sandbox);
  return role === 'viewer' ? 'viewer' : 'collaborator';
};

interface LinkPlace {
  readonly sandbox: Sandbox;
  readonly id: string;
}

async function linkOf(options: RedeemOptions, call: Call<{ token: string }>): Promise<LinkPlace> {
  const { token } = call.body;
  if (!looksLikeToken(token)) throw refusals.shareLinkNotFound();
  const hash = hashToken(token);
  const find = (): LinkPlace | undefined => lookUp(options.stores, hash, call.principal);
  const found = find() ?? (await comingSoon(options, find, call.signal));
  if (found === undefined) throw refusals.shareLinkNotFound();
  return found;
}

/**
 * One link only can have a random secret. Where two have it, somebody who could read the hash of another's link has put it
 * on a sandbox of his own, to have people come there: then it leads nowhere.
 */
function lookUp(
  { sandboxes }: Pick<Stores, 'sandboxes'>,
  hash: string,
  principal: Principal,
): LinkPlace | undefined {
  const places = sandboxes
    .byIndex(BY_LINK, hash)
    .flatMap((sandbox) =>
      (sandbox.spec?.sharing?.shareLinks ?? [])
        .filter(({ tokenHash }) => sameHash(tokenHash, hash))
        .map(({ id }) => ({ sandbox, id })),
    );
  const [place] = places;
  if (place === undefined || places.length > 1) return undefined;
  const { metadata } = place.sandbox;
  const open = metadata.deletionTimestamp === undefined && namespaceAllowed(principal, metadata.namespace);
  return open ? place : undefined;
}

function comingSoon(
  { stores, patienceMs = PATIENCE_MS }: RedeemOptions,
  find: () => LinkPlace | undefined,
  signal: AbortSignal,
): Promise<LinkPlace | undefined> {
  return new Promise((resolve) => {
    const done = (place: LinkPlace | undefined): void => {
      clearTimeout(timer);
      stop();
      signal.removeEventListener('abort', giveUp);
      resolve(place);
    };
    const giveUp = (): void => done(undefined);
    const timer = setTimeout(giveUp, patienceMs);
    const stop = stores.sandboxes.subscribe(() => {
      const place = find();
      if (place !== undefined) done(place);
    });
    signal.addEventListener('abort', giveUp, { once: true });
  });
}
