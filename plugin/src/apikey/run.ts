// SPDX-License-Identifier: Apache-2.0
import { openRest } from '../client/rest.ts';
import { forEachItem, sandboxNames } from '../client/sandboxes.ts';
import { CommandError } from '../context/failure.ts';
import { type Host, write } from '../context/host.ts';
import type { VerbOptions } from '../context/verb.ts';
import { ageSince } from '../printers/age.ts';
import { printAnswer, printRows } from '../printers/answer.ts';
import type { Column } from '../printers/table.ts';

interface Key {
  readonly id: string;
  readonly name?: string;
  readonly sandboxId?: string;
  readonly actionGroups?: readonly string[];
  readonly createdAt?: string;
  readonly expiresAt?: string | null;
}

const columns = (now: number): readonly Column<Key>[] => [
  { header: 'ID', value: ({ id }) => id },
  { header: 'NAME', value: ({ name }) => name },
  { header: 'SANDBOX', value: ({ sandboxId }) => sandboxId },
  { header: 'AGE', value: ({ createdAt }) => ageSince(createdAt, now) },
  { header: 'EXPIRES', value: ({ expiresAt }) => expiresAt ?? undefined },
  { header: 'MAY', wide: true, value: ({ actionGroups }) => actionGroups?.join(',') },
];

export async function listKeys(host: Host, options: VerbOptions): Promise<void> {
  const rest = await openRest(host, options);
  const answer = await rest.call<{ keys: readonly Key[] }>('/user/api-keys');
  const shown = { rows: answer.keys, columns: columns(host.clock.now()), none: 'You have no API keys' };
  await printRows(host, options, answer, shown);
}

export interface CreateKeyOptions extends VerbOptions {
  readonly expiresIn?: string;
  readonly sandbox?: string;
  readonly actionGroups?: string;
}

export async function createKey(host: Host, options: CreateKeyOptions): Promise<void> {
  const [name] = options.args;
  const { expiresIn, sandbox, actionGroups } = options;
  if (actionGroups !== undefined && sandbox === undefined) {
    throw new CommandError('--action-groups are those of a sandbox: name it with --sandbox', 2);
  }
  const rest = await openRest(host, options);
  const body = {
    ...(name === undefined ? {} : { name }),
    ...(expiresIn === undefined ? {} : { expiresIn }),
    ...(sandbox === undefined ? {} : { sandboxId: sandboxNames([sandbox])[0] }),
    ...(sandbox === undefined || options.namespace === undefined ? {} : { namespace: options.namespace }),
    ...(actionGroups === undefined ? {} : { actionGroups: actionGroups.split(',').map((one) => one.trim()) }),
  };
  const made = await rest.call<Key & { key: string; warning?: string }>('/user/api-keys', { body });
  if (made.warning !== undefined) await write(host.streams.err, `${made.warning}\n`);
  await printAnswer(host, options, made, `id: ${made.id}\nkey: ${made.key}`);
}

export async function revokeKeys(host: Host, options: VerbOptions): Promise<void> {
  const rest = await openRest(host, options);
  await forEachItem([...new Set(options.args)], async (id) => {
    await rest.call(`/user/api-keys/${encodeURIComponent(id)}`, { method: 'DELETE' });
    await write(host.streams.out, `revoked ${id}\n`);
  });
}
