// SPDX-License-Identifier: Apache-2.0
import { LABEL_SECRET_PURPOSE } from '@agenttier/crds/meta/labels';
import { RUNTIME_KEY_SECRET } from '@agenttier/crds/meta/names';
import { adminClient, freshNamespace } from '@agenttier/e2e/envtest/server';
import type { KubeClient } from '@agenttier/machinery/kube/client';
import { isNotFound } from '@agenttier/machinery/kube/errors';
import { SECRETS } from '@agenttier/machinery/kube/resource';
import type { KubeObject } from '@agenttier/machinery/kube/resource';
import { sharedKeyIn } from '@agenttier/machinery/secrets/sharedKey';
import { silentLogger } from '@agenttier/machinery/telemetry/log';
import { until } from '@agenttier/machinery/testing/until';
import { afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { keepRuntimeKey, runtimeKey } from './runtimeKey.ts';

type Secret = KubeObject & { readonly data?: Readonly<Record<string, string>> };

let client: KubeClient;
let namespace: string;
let key: Buffer;
let stop: AbortController;

beforeAll(async () => {
  client = await adminClient();
});
beforeEach(async () => {
  namespace = await freshNamespace('runtime-key');
  stop = new AbortController();
  key = await runtimeKey(client, namespace, stop.signal);
});
afterEach(() => stop.abort());

const at = () => ({ namespace, name: RUNTIME_KEY_SECRET });
const keep = () => keepRuntimeKey({ client, namespace, key, log: silentLogger }, stop.signal);

const stored = async (): Promise<Secret | undefined> =>
  client.get<Secret>(SECRETS, at()).catch((error: unknown) => {
    if (!isNotFound(error)) throw error;
    return undefined;
  });

describe('the key of the runtime tokens', () => {
  it('goes back as it was when it is deleted, also before the first look', async () => {
    await client.delete(SECRETS, at());
    const keeping = keep();
    for (let round = 0; round < 2; round++) {
      await until(async () => (await stored()) !== undefined, 'the key to be back');
      expect(sharedKeyIn(await stored())).toEqual(key);
      expect((await stored())?.metadata.labels?.[LABEL_SECRET_PURPOSE]).toBe('runtime-key');
      await client.delete(SECRETS, at());
    }
    await until(async () => (await stored()) !== undefined, 'the key to be back');
    stop.abort();
    await keeping;
  });

  it('ends the process when somebody puts another one there', async () => {
    await client.delete(SECRETS, at());
    await client.create<Secret>(SECRETS, namespace, {
      metadata: { name: RUNTIME_KEY_SECRET },
      data: { key: Buffer.alloc(32, 1).toString('base64') },
    });
    await expect(keep()).rejects.toThrow('holds another key now');
  });
});
