// SPDX-License-Identifier: Apache-2.0
import { existsSync } from 'node:fs';
import { join } from 'node:path';

/** The walks run against the cluster that `make up` left; without one there is nothing to prove anything on. */
export function setup(): void {
  const file = join(import.meta.dirname, '../../.local/env');
  if (!existsSync(file)) throw new Error('No cluster: run `make up` first (it writes .local/env).');
}
