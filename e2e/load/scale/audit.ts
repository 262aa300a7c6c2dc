// SPDX-License-Identifier: Apache-2.0
import { writeFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';

/** What the API server is told so that it writes down every write of one user, and nothing else. */
export function auditArgs(folder: string, user: string): string[] {
  const policy = {
    apiVersion: 'audit.k8s.io/v1',
    kind: 'Policy',
    omitStages: ['RequestReceived', 'ResponseStarted', 'Panic'],
    rules: [
      { level: 'None', verbs: ['get', 'list', 'watch'] },
      { level: 'Metadata', users: [user] },
      { level: 'None' },
    ],
  };
  const file = join(folder, 'audit-policy.json');
  writeFileSync(file, JSON.stringify(policy));
  return [`--audit-policy-file=${file}`, `--audit-log-path=${auditFile(folder)}`];
}

export const auditFile = (folder: string): string => join(folder, 'audit.log');

/** Writes by `verb resource`, from `offset` characters of the log on; `end` is where the next reading begins. */
export interface Writes {
  readonly total: number;
  readonly refused: number;
  readonly by: Readonly<Record<string, number>>;
  readonly end: number;
}

interface AuditEvent {
  readonly verb: string;
  readonly objectRef?: { readonly resource?: string; readonly subresource?: string };
  readonly responseStatus?: { readonly code?: number };
}

function nameOf({ verb, objectRef }: AuditEvent): string {
  const { resource = '', subresource } = objectRef ?? {};
  return `${verb} ${subresource ? `${resource}/${subresource}` : resource}`;
}

export function countWrites(log: string, offset = 0): Writes {
  const end = log.lastIndexOf('\n') + 1;
  const by: Record<string, number> = {};
  let total = 0;
  let refused = 0;
  for (const line of log.slice(offset, end).split('\n')) {
    if (line === '') continue;
    const event = JSON.parse(line) as AuditEvent;
    const what = nameOf(event);
    by[what] = (by[what] ?? 0) + 1;
    total += 1;
    if ((event.responseStatus?.code ?? 200) >= 400) refused += 1;
  }
  return { total, refused, by, end };
}

export const writesSince = async (folder: string, offset: number): Promise<Writes> =>
  countWrites(await readFile(auditFile(folder), 'utf8').catch(() => ''), offset);
