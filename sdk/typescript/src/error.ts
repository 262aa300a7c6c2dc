// SPDX-License-Identifier: Apache-2.0
import type { Problem, Violation } from './generated/operations.ts';

/** An answer that is no success. */
export class ApiError extends Error {
  override readonly name = 'ApiError';
  readonly status: number;
  /** A code such as `policy_violation`, or a sentence. */
  readonly code: string;
  /** What exactly was refused, field by field; empty when the server named none. */
  readonly violations: readonly Violation[];
  /** Seconds after which another try makes sense. */
  readonly retryAfter: number | undefined;
  /** The body as it came. */
  readonly body: unknown;
  /** By which the server's log knows the request. */
  readonly requestId: string | undefined;

  constructor(response: Response, body: unknown) {
    const problem = problemIn(body);
    super(problem.message ?? problem.error ?? `the server answered with status ${response.status}`);
    this.status = response.status;
    this.code = problem.error ?? '';
    this.violations = problem.violations ?? [];
    this.retryAfter = retryAfterOf(response);
    this.body = body;
    this.requestId = response.headers.get('X-Request-ID') ?? undefined;
  }
}

/** Of an answer that may come from a proxy on the way, too. */
export async function errorOf(response: Response): Promise<ApiError> {
  const text = await response.text().catch(() => '');
  try {
    return new ApiError(response, JSON.parse(text));
  } catch {
    return new ApiError(response, text);
  }
}

/** Seconds to wait, as `Retry-After` says; undefined when it says a date or nothing. */
export function retryAfterOf(response: Response): number | undefined {
  const text = response.headers.get('Retry-After') ?? '';
  return /^\d+(\.\d+)?$/.test(text) ? Number(text) : undefined;
}

const problemIn = (body: unknown): Partial<Problem> =>
  typeof body === 'object' && body !== null ? body : {};
