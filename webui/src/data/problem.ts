// SPDX-License-Identifier: Apache-2.0
import { ApiError } from '@agenttier/client';
import type { Violation } from '@agenttier/client';

/** Why something that the page asked for did not happen, in words for people. */
export interface Problem {
  /** Of the answer; 0 = there was none. */
  readonly status: number;
  /** A code of the server's catalogue, or empty. */
  readonly code: string;
  readonly message: string;
  readonly violations: readonly Violation[];
}

export const problemOf = (error: unknown): Problem => {
  if (error instanceof ApiError) {
    const { status, code, message, violations } = error;
    return { status, code, message, violations };
  }
  // What fetch rejects with when nobody answers is a TypeError, in words that differ by browser.
  const message = error instanceof TypeError ? 'The server cannot be reached.' : textOf(error);
  return { status: 0, code: '', message, violations: [] };
};

const textOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));
