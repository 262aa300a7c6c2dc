// SPDX-License-Identifier: Apache-2.0
import { setTimeout as pause } from 'node:timers/promises';
import type { Sandbox } from '@agenttier/crds/generated/types';
import { FIELD_MANAGER_ROUTER } from '@agenttier/crds/meta/labels';
import { SANDBOXES } from '@agenttier/crds/meta/resources';
import type { Sharing } from '@agenttier/crds/sandbox/shareLinks';
import type { KubeClient } from '@agenttier/machinery/kube/client';
import { isConflict } from '@agenttier/machinery/kube/errors';
import type { KubeObject } from '@agenttier/machinery/kube/resource';
import { impersonationOf } from '../../auth/principal.ts';
import type { Stores } from '../../cluster/caches.ts';
import { refusals } from '../errors.ts';
import type { Call } from '../route.ts';

export interface SharingWriter {
  readonly client: Pick<KubeClient, 'get' | 'patch'>;
  readonly stores: Pick<Stores, 'sandboxes'>;
}

/** Each refused try means that somebody else's write went through: as many as ever meet at one sandbox. */
const TRIES = 40;
const PAUSE_MS = 25;

/**
 * Changes who may use a sandbox, in the name of the caller. The list is read, changed and written back with the version
 * that was read, so of two changes at once neither is lost: the later one is worked out again on top of the other. `change`
 * gives undefined where there is nothing to write, and may throw the refusal.
 */
export async function writeSharing(
  { client, stores }: SharingWriter,
  call: Pick<Call, 'principal' | 'signal'>,
  sandbox: Sandbox,
  change: (sharing: Sharing, sandbox: Sandbox) => Sharing | undefined,
): Promise<Sandbox> {
  const { namespace, name = '', uid } = sandbox.metadata;
  const options = {
    impersonate: impersonationOf(call.principal),
    fieldManager: FIELD_MANAGER_ROUTER,
    signal: call.signal,
  };
  let current = sandbox;
  for (let tries = 1; ; tries++) {
    const sharing = change(current.spec?.sharing ?? {}, current);
    if (sharing === undefined) return current;
    const metadata = { uid, resourceVersion: current.metadata.resourceVersion };
    const body = { metadata, spec: { sharing } };
    try {
      const key = { namespace, name };
      const written = await client.patch<Sandbox & KubeObject>(
        SANDBOXES,
        key,
        { type: 'merge', body },
        options,
      );
      stores.sandboxes.applyLocal(written);
      return written;
    } catch (error) {
      if (!isConflict(error) || tries === TRIES) throw error;
      await pause(Math.random() * PAUSE_MS, undefined, { signal: call.signal });
      current = await client.get<Sandbox & KubeObject>(
        SANDBOXES,
        { namespace, name },
        { signal: call.signal },
      );
      if (current.metadata.uid !== uid) throw refusals.sandboxNotFound(name);
    }
  }
}
