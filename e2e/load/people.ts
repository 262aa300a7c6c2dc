// SPDX-License-Identifier: Apache-2.0
import { setTimeout as pause } from 'node:timers/promises';
import type { KubeClient } from '@agenttier/machinery/kube/client';
import { SECRETS } from '@agenttier/machinery/kube/resource';
import { apiKeySecret, INSTALL_NAMESPACE, newApiKey } from '../cluster/install/apiKey.ts';

/** Somebody with a key, for as long as a measurement takes: one person may have only so much of the router. */
export interface Person {
  readonly key: string;
  readonly secret: string;
}

export async function invite(client: KubeClient, name: string): Promise<Person> {
  const key = newApiKey();
  const secret = apiKeySecret(key, new Date().toISOString(), name);
  await client.create(SECRETS, INSTALL_NAMESPACE, secret);
  return { key, secret: secret.metadata.name };
}

export const dismiss = (client: KubeClient, { secret }: Person): Promise<unknown> =>
  client.delete(SECRETS, { namespace: INSTALL_NAMESPACE, name: secret });

/** Until a router knows the person. It is asked rarely: who fails to sign in too often is held up. */
export async function untilKnown(base: string, { key }: Person): Promise<void> {
  const deadline = performance.now() + 30_000;
  while (performance.now() < deadline) {
    const answer = await fetch(`${base}/api/v1/user/api-keys`, { headers: { 'X-API-Key': key } });
    await answer.arrayBuffer();
    if (answer.ok) return;
    await pause(500);
  }
  throw new Error('the router does not know a key that was made half a minute ago');
}
