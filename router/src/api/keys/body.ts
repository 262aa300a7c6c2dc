// SPDX-License-Identifier: Apache-2.0
import { parseDuration } from '@agenttier/crds/meta/duration';
import { ACTION_GROUPS } from '../../auth/actionGroups.ts';

/** The body of a request for a key, as far as its schema has checked it. */
export interface KeyBody {
  readonly name?: string;
  readonly expiresIn?: string;
  readonly sandboxId?: string;
  readonly namespace?: string;
  readonly scopes?: readonly string[];
  readonly actionGroups?: readonly string[];
}

export interface KeyRequest {
  readonly name: string;
  /** Milliseconds of the epoch; absent = never. */
  readonly expiresAt?: number;
  /** Absent = a key of the whole person. */
  readonly sandboxId?: string;
  readonly actionGroups: readonly string[];
}

interface FieldProblem {
  readonly field: string;
  readonly message: string;
}

export type KeyRequestResult =
  | { ok: true; request: KeyRequest }
  | { ok: false; problems: readonly FieldProblem[] };

const MAX_MS = 10 * 365 * 24 * 3_600_000;

/** Reads it. Empty texts and lists count as absent: clients send them for what they do not set. */
export function readKeyRequest(body: KeyBody, now: number): KeyRequestResult {
  const problems: FieldProblem[] = [];
  const life = readLife(body.expiresIn, problems);
  const named = readGroups(body, problems);
  const sandboxId = body.sandboxId || undefined;
  if (problems.length > 0) return { ok: false, problems };
  const request = {
    name: body.name?.trim() || 'API key',
    ...(life === undefined ? {} : { expiresAt: now + life }),
    ...(sandboxId === undefined ? {} : { sandboxId }),
    // Written down one by one: a group that there will be tomorrow is not granted today.
    actionGroups: sandboxId === undefined ? [] : named.length > 0 ? named : ACTION_GROUPS,
  };
  return { ok: true, request };
}

function readLife(text: string | undefined, problems: FieldProblem[]): number | undefined {
  if (text === undefined || text === '') return undefined;
  const life = parseDuration(text);
  if (life !== undefined && life >= 1000 && life <= MAX_MS) return life;
  const message = 'must be a duration from "1s" to "87600h", such as "720h" for thirty days';
  problems.push({ field: 'expiresIn', message });
  return undefined;
}

/** Older clients call the same list by two names. */
function readGroups(body: KeyBody, problems: FieldProblem[]): readonly string[] {
  const { scopes = [], actionGroups = [], sandboxId } = body;
  const field = actionGroups.length > 0 ? 'actionGroups' : 'scopes';
  const named = [...new Set([...scopes, ...actionGroups])];
  if (scopes.length > 0 && actionGroups.length > 0 && !sameNames(scopes, actionGroups)) {
    problems.push({
      field: 'scopes',
      message: 'and actionGroups are two names of one list: give one of them',
    });
  }
  const unknown = named.filter((group) => !ACTION_GROUPS.includes(group));
  problems.push(...unknown.map((group) => ({ field, message: whyNot(group) })));
  if (named.length > 0 && !sandboxId) {
    const message = `is required beside ${field}: only keys of one sandbox have them`;
    problems.push({ field: 'sandboxId', message });
  }
  return named;
}

const whyNot = (group: string): string =>
  group === 'delete'
    ? 'delete can never be granted to a key of one sandbox'
    : `"${group}" is none of ${ACTION_GROUPS.join(', ')}`;

const sameNames = (a: readonly string[], b: readonly string[]): boolean =>
  [...new Set(a)].sort().join() === [...new Set(b)].sort().join();
