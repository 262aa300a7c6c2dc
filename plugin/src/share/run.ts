// SPDX-License-Identifier: Apache-2.0
import { openRest, openSandboxRest } from '../client/rest.ts';
import { CommandError } from '../context/failure.ts';
import type { Host } from '../context/host.ts';
import type { VerbOptions } from '../context/verb.ts';
import { printAnswer, printRows } from '../printers/answer.ts';
import type { Column } from '../printers/table.ts';

interface Share {
  readonly identity: string;
  readonly level: string;
}

interface Sharing {
  readonly users: readonly Share[];
  readonly groups: readonly Share[];
  readonly shareLinks: readonly {
    readonly id: string;
    readonly level: string;
    readonly expiresAt: string | null;
    readonly maxUses: number;
    readonly usedCount: number;
  }[];
}

interface Row extends Share {
  readonly kind: string;
  readonly expires?: string;
  readonly uses?: string;
}

const COLUMNS: readonly Column<Row>[] = [
  { header: 'IDENTITY', value: ({ identity }) => identity },
  { header: 'KIND', value: ({ kind }) => kind },
  { header: 'LEVEL', value: ({ level }) => level },
  { header: 'EXPIRES', value: ({ expires }) => expires },
  { header: 'USES', value: ({ uses }) => uses },
];

export async function listShares(host: Host, options: VerbOptions): Promise<void> {
  const [name = ''] = options.args;
  const rest = await openSandboxRest(host, options, name);
  const sharing = await rest.call<Sharing>('/share');
  const rows: Row[] = [
    ...sharing.users.map((one) => ({ ...one, kind: 'user' })),
    ...sharing.groups.map((one) => ({ ...one, kind: 'group' })),
    ...sharing.shareLinks.map(({ id, level, expiresAt, maxUses, usedCount }) => ({
      identity: id,
      kind: 'link',
      level,
      ...(expiresAt === null ? {} : { expires: expiresAt }),
      uses: `${usedCount}${maxUses === 0 ? '' : `/${maxUses}`}`,
    })),
  ];
  const none = `Sandbox ${name} is shared with nobody`;
  await printRows(host, options, sharing, { rows, columns: COLUMNS, none });
}

export async function grantShare(
  host: Host,
  options: VerbOptions & { readonly level: string; readonly kind: string },
): Promise<void> {
  const [name = '', identity = ''] = options.args;
  const { level, kind } = options;
  const rest = await openSandboxRest(host, options, name);
  const sharing = await rest.call('/share', { body: { identity, level, kind } });
  await printAnswer(host, options, sharing, `granted ${level} access to ${identity}`);
}

export async function revokeShare(host: Host, options: VerbOptions): Promise<void> {
  const [name = '', identity = ''] = options.args;
  const rest = await openSandboxRest(host, options, name);
  const answer = await rest.call(`/share/${encodeURIComponent(identity)}`, { method: 'DELETE' });
  await printAnswer(host, options, answer, `revoked access of ${identity}`);
}

export async function createLink(
  host: Host,
  options: VerbOptions & { readonly level: string; readonly expiresIn?: string; readonly maxUses: string },
): Promise<void> {
  const [name = ''] = options.args;
  const { level, expiresIn, maxUses } = options;
  if (!/^\d+$/.test(maxUses)) {
    throw new CommandError(`--max-uses: ${JSON.stringify(maxUses)} is not a whole number`, 2);
  }
  const body = { level, maxUses: Number(maxUses), ...(expiresIn === undefined ? {} : { expiresIn }) };
  const rest = await openSandboxRest(host, options, name);
  const link = await rest.call<{ token: string }>('/share-links', { body });
  const hint = 'whoever signs in redeems it with: kubectl agenttier share redeem TOKEN';
  await printAnswer(host, options, link, `share link created: ${link.token}\n${hint}`);
}

export async function deleteLink(
  host: Host,
  options: VerbOptions & { readonly people?: boolean },
): Promise<void> {
  const [name = '', link = ''] = options.args;
  const rest = await openSandboxRest(host, options, name);
  const query = options.people === true ? { people: 'true' } : {};
  const answer = await rest.call(`/share-links/${encodeURIComponent(link)}`, { method: 'DELETE' }, query);
  await printAnswer(host, options, answer, `closed link ${link}`);
}

export async function redeemLink(host: Host, options: VerbOptions): Promise<void> {
  const [token = ''] = options.args;
  const rest = await openRest(host, options);
  const shared = await rest.call<{ name: string; namespace: string; level: string }>('/share-links/redeem', {
    body: { token },
  });
  const { name, namespace, level } = shared;
  await printAnswer(host, options, shared, `${name} in ${namespace} is shared with you as ${level}`);
}
