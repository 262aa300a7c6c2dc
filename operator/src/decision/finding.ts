// SPDX-License-Identifier: Apache-2.0
import type { Condition } from '@agenttier/crds/meta/conditions';

/** What is to stand in a condition. */
export interface Finding {
  readonly status: Condition['status'];
  readonly reason: string;
  readonly message: string;
}

export const yes = (reason: string, message = ''): Finding => ({ status: 'True', reason, message });
export const no = (reason: string, message: string): Finding => ({ status: 'False', reason, message });

export function refusalReason(cause: string): string {
  const words: Readonly<Record<string, string>> = {
    invalid: 'Rejected',
    forbidden: 'Forbidden',
    conflict: 'Conflict',
    waiting: 'WaitingForRemoval',
    transient: 'ApiUnavailable',
  };
  return words[cause] ?? 'Refused';
}
