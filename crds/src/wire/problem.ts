// SPDX-License-Identifier: Apache-2.0
import type { Violation } from '../meta/violation.ts';

/** Codes that programs can rely on in `error`, with the HTTP status that goes with each. */
export const PROBLEMS = {
  missing_authorization: 401,
  invalid_authorization_format: 401,
  invalid_api_key: 401,
  invalid_token: 401,
  admin_required: 403,
  access_denied: 403,
  policy_violation: 403,
  quota_would_exceed: 409,
  concurrency_exceeded: 429,
  rate_limited: 429,
} as const;

export type ProblemCode = keyof typeof PROBLEMS;

/** Body of every answer that is not a success. `error` is a code of the catalogue or a sentence for people. */
export interface ErrorBody {
  readonly error: string;
  readonly message?: string;
  readonly violations?: readonly Violation[];
  readonly [detail: string]: unknown;
}

export interface ErrorDetails {
  readonly message?: string;
  readonly violations?: readonly Violation[];
  /** Members that only some errors have, such as `retryAfter` in seconds. */
  readonly extra?: Readonly<Record<string, unknown>>;
}

/** The body for an error; a member that is not given is left out. */
export function errorBody(error: string, details: ErrorDetails = {}): ErrorBody {
  return {
    error,
    ...(details.message === undefined ? {} : { message: details.message }),
    ...(details.violations === undefined ? {} : { violations: details.violations }),
    ...details.extra,
  };
}

/** HTTP status of a code of the catalogue. */
export function problemStatus(code: ProblemCode): number {
  return PROBLEMS[code];
}

/** The body as a client reads it: whatever came, there is a sentence to show. */
export function problemText(status: number, body: unknown): string {
  if (typeof body === 'string' && body.trim() !== '') return body.trim();
  const { error, message } = (typeof body === 'object' && body !== null ? body : {}) as Partial<ErrorBody>;
  if (typeof message === 'string' && message !== '') return message;
  return typeof error === 'string' && error !== '' ? error : `the server answered with status ${status}`;
}
