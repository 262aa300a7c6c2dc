// SPDX-License-Identifier: Apache-2.0
import { isKubeError } from '@agenttier/machinery/kube/errors';
import type { Refusal } from './state.ts';

/**
 * What an answer of the API server means for the same write sent again: undefined when it may simply go through the
 * next time (no answer, 429, 5xx, a lost race), else why it was refused.
 */
export function refusalOf(error: unknown): Pick<Refusal, 'cause' | 'message'> | undefined {
  if (!isKubeError(error)) return undefined;
  switch (error.status) {
    case 400:
    case 413:
    case 422:
      return { cause: 'invalid', message: error.message };
    // Quota, Pod Security, another admission plugin, a namespace that is being deleted, or missing rights of our own.
    case 403:
      return { cause: 'forbidden', message: error.message };
    // On a create: the namespace is gone.
    case 404:
      return { cause: 'forbidden', message: error.message };
    default:
      return undefined;
  }
}
