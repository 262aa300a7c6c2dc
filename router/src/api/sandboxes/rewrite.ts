// SPDX-License-Identifier: Apache-2.0
import { setTimeout as pause } from 'node:timers/promises';
import type { Sandbox, SandboxSpec } from '@agenttier/crds/generated/types';
import { FIELD_MANAGER_ROUTER } from '@agenttier/crds/meta/labels';
import { SANDBOXES } from '@agenttier/crds/meta/resources';
import type { KubeClient } from '@agenttier/machinery/kube/client';
import { isConflict } from '@agenttier/machinery/kube/errors';
import type { KubeObject } from '@agenttier/machinery/kube/resource';
import { impersonationOf } from '../../auth/principal.ts';
import type { Stores } from '../../cluster/caches.ts';
import { refusals } from '../errors.ts';
import type { Call } from '../route.ts';

export interface SpecWriter {
  readonly client: Pick<KubeClient, 'get' | 'patch'>;
  readonly stores: Pick<Stores, 'sandboxes'>;
}

/** Each refused try means that somebody else's write went through: as many as ever meet at one sandbox. */
const TRIES = 40;
const PAUSE_MS = 25;

/**
 * Changes a part of a sandbox's spec, in the name of the caller. It is read, changed and written back with the version
 * that was read, so of two changes at once neither is lost: the later one is worked out again on top of the other. `change`
 * gives the members that change, undefined where there is nothing to write, and may throw the refusal.
 */
export async function rewriteSpec(
  { client, stores }: SpecWriter,
  call: Pick<Call, 'principal' | 'signal'>,
  sandbox: Sandbox,
  change: (spec: SandboxSpec, sandbox: Sandbox) => Partial<SandboxSpec> | undefined,
): Promise<Sandbox> {
  const { namespace, name = '', uid } = sandbox.metadata;
  const options = {
    impersonate: impersonationOf(call.principal),
    fieldManager: FIELD_MANAGER_ROUTER,
    signal: call.signal,
  };
  let current = sandbox;
  for (let tries = 1; ; tries++) {
    const spec = change(current.spec ?? {}, current);
    if (spec === undefined) return current;
    const metadata = { uid, resourceVersion: current.metadata.resourceVersion };
    const body = { metadata, spec };
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
