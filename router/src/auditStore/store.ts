// SPDX-License-Identifier: Apache-2.0
import type { AuditRow } from './row.ts';

/** Whose rows somebody may read: those on these objects, and those of what that person did. */
export interface AuditReader {
  readonly uids: readonly string[];
  /** Absent where somebody may not see all that he has done, as with a key for some namespaces. */
  readonly sub?: string | undefined;
}

/** What is asked for; every part that is there must hold. */
export interface AuditQuery {
  /** Absent = everything, for administrators. */
  readonly reader?: AuditReader | undefined;
  readonly name?: string | undefined;
  readonly namespace?: string | undefined;
  /** Subject or e-mail address. */
  readonly user?: string | undefined;
  readonly type?: string | undefined;
  /** Milliseconds of the epoch, included. */
  readonly from?: number | undefined;
  /** Milliseconds of the epoch, not included. */
  readonly to?: number | undefined;
  /** Only rows with a smaller id: those that follow on a page with that one at its end. */
  readonly before?: string | undefined;
  readonly limit: number;
}

/** Where acts are kept. Newest come first. */
export interface AuditStore {
  /** Keeps rows; one that is kept already is not kept twice. */
  append(rows: readonly AuditRow[]): Promise<void>;
  find(query: AuditQuery): Promise<readonly AuditRow[]>;
  /** Forgets what happened before that moment; resolves with how much that was. */
  prune(before: number): Promise<number>;
  close(): Promise<void>;
}
