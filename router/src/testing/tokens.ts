// SPDX-License-Identifier: Apache-2.0
import { LABEL_SECRET_PURPOSE, SECRET_PURPOSES } from '@agenttier/crds/meta/labels';
import { RUNTIME_KEY_SECRET, tokenSubject } from '@agenttier/crds/meta/names';
import { deriveToken } from '@agenttier/machinery/secrets/derive';
import type { Secret } from '../cluster/shapes.ts';

export const TEST_KEY = Buffer.alloc(32, 7);
/** Nonce of pods whose runtime knows its token. */
export const TEST_NONCE = '1';

/** What the operator writes into the token Secret of the sandbox with this uid. */
export const runtimeToken = (sandboxUid: string): string =>
  deriveToken(TEST_KEY, tokenSubject(sandboxUid, TEST_NONCE));

const admitted = new Set<string>();

/** Makes every fake runtime of this process one of this sandbox, too. */
export function admit(sandboxUid: string): void {
  admitted.add(runtimeToken(sandboxUid));
}

export const isAdmitted = (token: string): boolean => admitted.has(token);

/** The key as the operator keeps it in the install namespace. */
export function keyObject(namespace: string): Secret {
  const labels = { [LABEL_SECRET_PURPOSE]: SECRET_PURPOSES.runtimeKey };
  return {
    metadata: { name: RUNTIME_KEY_SECRET, namespace, labels },
    data: { key: TEST_KEY.toString('base64') },
  };
}
