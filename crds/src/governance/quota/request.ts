// SPDX-License-Identifier: Apache-2.0
import type { Amounts } from './demand.ts';

/** Room asked for before an object is stored. */
export interface QuotaRequest {
  readonly uid: string;
  readonly namespace: string;
  readonly name: string;
  readonly user: string;
  /** What is added to what the sandbox takes already. */
  readonly amounts: Amounts;
  /** Generation of the stored sandbox that is being changed; absent for a new one. */
  readonly generation?: number | undefined;
  /** RFC 3339. */
  readonly at: string;
}
