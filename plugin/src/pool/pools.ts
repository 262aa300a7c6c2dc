// SPDX-License-Identifier: Apache-2.0
import { bareName } from '../client/names.ts';
import { CommandError } from '../context/failure.ts';

export const poolNames = (names: readonly string[]): string[] =>
  names.map((name) => bareName(name, ['pool', 'sandboxwarmpool', 'sandboxwarmpools', 'sbwp']));

/** How many pods; the schema of the kind sets the upper bound. */
export function parseReplicas(text: string): number {
  if (/^\d{1,6}$/.test(text)) return Number(text);
  throw new CommandError(`--replicas: ${JSON.stringify(text)} is not a whole number of zero or more`, 2);
}
