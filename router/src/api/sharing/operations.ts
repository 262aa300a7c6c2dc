// SPDX-License-Identifier: Apache-2.0
import { parseDuration } from '@agenttier/crds/meta/duration';
import type { ShareLink } from '@agenttier/crds/sandbox/shareLinks';
import type { SandboxAct, SandboxAudit } from '../../audit.ts';
import type { SandboxFinder } from '../../cluster/finder.ts';
import type { Handlers } from '../contract.ts';
import { refusals } from '../errors.ts';
import type { Call, Reply } from '../route.ts';
import { findFor } from '../sandboxes/operations.ts';
import type { Sandbox } from '@agenttier/crds/generated/types';
import { granted, linkView, revoked, sharingView, withLink, withoutLink } from './changes.ts';
import type { Grant } from './changes.ts';
import { redeemOperation } from './redeem.ts';
import { newLinkToken } from './token.ts';
import { writeSharing } from './write.ts';
import type { SharingWriter } from './write.ts';

export interface SharingOptions extends SharingWriter {
  readonly finder: Pick<SandboxFinder, 'find'>;
  readonly audit: SandboxAudit;
  readonly now?: () => number;
}

type Operations = Pick<
  Handlers,
  | 'getSharing'
  | 'grantShare'
  | 'revokeShare'
  | 'listShareLinks'
  | 'createShareLink'
  | 'deleteShareLink'
  | 'redeemShareLink'
>;

/** Who else may use a sandbox. Owners decide, written as they themselves into `spec.sharing`, where admission judges it. */
export function sharingOperations(options: SharingOptions): Operations {
  const find = (call: Call): Promise<Sandbox> => findFor(options, call, 'share');
  return {
    getSharing: async (call) => viewReply(await find(call)),
    grantShare: (call) => grant(options, call, { kind: 'user', ...call.body }),
    revokeShare: (call) => revoke(options, call),
    listShareLinks: async (call) => {
      const { shareLinks } = sharingView((await find(call)).spec?.sharing ?? {});
      return { status: 200, body: { shareLinks } };
    },
    createShareLink: (call) => createLink(options, call),
    deleteShareLink: (call) => deleteLink(options, call),
    redeemShareLink: redeemOperation(options),
  };
}

const viewReply = ({ spec }: Sandbox): Reply => ({ status: 200, body: sharingView(spec?.sharing ?? {}) });

async function grant(options: SharingOptions, call: Call, share: Grant): Promise<Reply> {
  const sandbox = await findFor(options, call, 'share');
  const written = await writeSharing(options, call, sandbox, (sharing) => granted(sharing, share));
  const whom = share.kind === 'group' ? 'a group' : 'a person';
  const note = `Shared with ${whom} as ${share.level}`;
  tell(options, call, written, { action: 'ShareGranted', note, reason: `${share.level}: ${share.identity}` });
  return viewReply(written);
}

async function revoke(options: SharingOptions, call: Call): Promise<Reply> {
  const { identity = '' } = call.params;
  const sandbox = await findFor(options, call, 'share');
  let had = false;
  const written = await writeSharing(options, call, sandbox, (sharing) => {
    const left = revoked(sharing, identity);
    had ||= left !== undefined;
    return left;
  });
  if (had) {
    const note = 'No longer shared with somebody';
    tell(options, call, written, { action: 'ShareRevoked', note, reason: identity });
  }
  return { status: 200, body: { status: 'revoked', identity } };
}

interface LinkWish {
  readonly level?: ShareLink['level'];
  readonly expiresIn?: string;
  readonly maxUses?: number;
}

const KEEP_IT = 'this secret is shown once and cannot be read again: whoever has it can use the link';

async function createLink(options: SharingOptions, call: Call<LinkWish>): Promise<Reply> {
  const { level = 'viewer', expiresIn, maxUses = 0 } = call.body;
  const expiresAt = expiryOf(expiresIn, (options.now ?? Date.now)());
  const sandbox = await findFor(options, call, 'share');
  const { id, token, tokenHash } = newLinkToken();
  const link: ShareLink = {
    id,
    tokenHash,
    level,
    maxUses,
    ...(expiresAt === undefined ? {} : { expiresAt }),
  };
  const written = await writeSharing(options, call, sandbox, (sharing) => withLink(sharing, link));
  tell(options, call, written, {
    action: 'ShareLinkCreated',
    note: `A link for a ${level} was made`,
    reason: id,
  });
  const { usedCount: _, ...view } = linkView(link);
  return { status: 201, body: { ...view, token, warning: KEEP_IT } };
}

function expiryOf(expiresIn: string | undefined, now: number): string | undefined {
  if (expiresIn === undefined || expiresIn === '') return undefined;
  const ms = parseDuration(expiresIn);
  const at = new Date(now + (ms ?? 0));
  if (ms !== undefined && ms > 0 && !Number.isNaN(at.getTime())) return at.toISOString();
  throw refusals.invalidFields([
    { field: 'expiresIn', message: 'must be a duration above 0 such as "24h" or "1h30m"' },
  ]);
}

async function deleteLink(options: SharingOptions, call: Call): Promise<Reply> {
  const { link = '' } = call.params;
  const people = call.query.get('people') === 'true';
  const sandbox = await findFor(options, call, 'share');
  let had = false;
  const written = await writeSharing(options, call, sandbox, (sharing) => {
    const left = withoutLink(sharing, link, people);
    had ||= left !== undefined;
    return left;
  });
  if (!had) throw refusals.shareLinkNotFound();
  const note = people ? 'A link was closed, and who came by it may no longer use it' : 'A link was closed';
  tell(options, call, written, { action: 'ShareLinkRevoked', note, reason: link });
  return { status: 200, body: { status: 'revoked', id: link } };
}

type Act = Pick<SandboxAct, 'action' | 'note' | 'reason'>;

/** Events are read by more people than the audit log: whom it is shared with is in that alone. */
function tell({ audit }: SharingOptions, call: Call, sandbox: Sandbox, act: Act): void {
  audit(sandbox, { ...act, principal: call.principal, sourceIp: call.sourceIp });
}
