// SPDX-License-Identifier: Apache-2.0
import { APP_NAME, LABEL_APP_NAME, LABEL_SECRET_PURPOSE, SECRET_PURPOSES } from '@agenttier/crds/meta/labels';
import { RUNTIME_KEY_SECRET } from '@agenttier/crds/meta/names';
import type { KubeClient } from '@agenttier/machinery/kube/client';
import { SECRETS } from '@agenttier/machinery/kube/resource';
import type { KubeObject } from '@agenttier/machinery/kube/resource';
import { Reflector } from '@agenttier/machinery/reflector/reflector';
import { Store } from '@agenttier/machinery/reflector/store';
import { ensureSharedKey, sharedKeyIn } from '@agenttier/machinery/secrets/sharedKey';
import type { Logger } from '@agenttier/machinery/telemetry/log';

const LABELS = { [LABEL_APP_NAME]: APP_NAME, [LABEL_SECRET_PURPOSE]: SECRET_PURPOSES.runtimeKey };

/** The key of the runtime tokens; whichever replica is first makes it, once for the installation's life. */
export const runtimeKey = (client: KubeClient, namespace: string, signal: AbortSignal): Promise<Buffer> =>
  ensureSharedKey(client, { namespace, name: RUNTIME_KEY_SECRET }, { labels: LABELS, signal });

export interface KeepKeyOptions {
  readonly client: KubeClient;
  readonly namespace: string;
  /** The key that this process derives tokens with. */
  readonly key: Uint8Array;
  readonly log: Logger;
}

type Secret = KubeObject & { readonly data?: Readonly<Record<string, string>> };

/**
 * Keeps the Secret of the key in place until the signal aborts. When it is deleted, the same key goes back: the runtimes
 * that are up know no other, and a new one would lock the router out of all of them. Rejects when another key is there,
 * which only somebody's own hand can have done: this process then has to end and begin again with that one; the tokens
 * of pods that run follow as their Secrets are repaired.
 */
export async function keepRuntimeKey(options: KeepKeyOptions, signal: AbortSignal): Promise<void> {
  const { client, namespace, log } = options;
  const store = new Store<Secret>();
  const failed = Promise.withResolvers<never>();
  store.subscribe(({ type, object }) => {
    if (type === 'deleted') void restore(options, signal).catch(failed.reject);
    else if (!isOurs(object, options.key)) failed.reject(foreignKey(namespace));
  });
  const stop = new AbortController();
  const fieldSelector = `metadata.name=${RUNTIME_KEY_SECRET}`;
  const reflector = new Reflector<Secret>({
    client,
    resource: SECRETS,
    namespace,
    fieldSelector,
    store,
    log,
  });
  // It may be gone before the first list.
  void reflector.synced().then(() => {
    if (store.list().length === 0) restore(options, signal).catch(failed.reject);
  });
  try {
    await Promise.race([reflector.run(AbortSignal.any([signal, stop.signal])), failed.promise]);
  } finally {
    stop.abort();
  }
}

const isOurs = (secret: Secret, key: Uint8Array): boolean =>
  Buffer.from(key).equals(sharedKeyIn(secret) ?? Buffer.alloc(0));

const foreignKey = (namespace: string): Error =>
  new Error(
    `Secret ${namespace}/${RUNTIME_KEY_SECRET} holds another key now; the operator starts anew with it`,
  );

async function restore({ client, namespace, key, log }: KeepKeyOptions, signal: AbortSignal): Promise<void> {
  if (signal.aborted) return;
  log.warn(
    { namespace, secret: RUNTIME_KEY_SECRET },
    'the key of the runtime tokens was deleted; it is put back',
  );
  const at = { namespace, name: RUNTIME_KEY_SECRET };
  const stored = await ensureSharedKey(client, at, { labels: LABELS, key, signal });
  if (!stored.equals(key)) throw foreignKey(namespace);
}
