// SPDX-License-Identifier: Apache-2.0
import { FIELD_MANAGER_OPERATOR } from '@agenttier/crds/meta/labels';
import { isAlreadyExists } from '@agenttier/machinery/kube/errors';
import { CONFIG_MAPS } from '@agenttier/machinery/kube/resource';
import type { ConfigMap } from '../core.ts';
import { absent } from '../sandbox/context.ts';
import type { Effect, PerformContext } from '../sandbox/context.ts';
import { isOwnedBy } from '../sandbox/ownership.ts';

/**
 * Stores the log of an installation. A ConfigMap of that name which is not this Sandbox's is left as it is, and an event
 * says so: the uid of the one that was read keeps the write from falling on another.
 */
export async function writeInstallLog(body: ConfigMap, context: PerformContext): Promise<Effect> {
  const { client, owner, signal } = context;
  const key = { namespace: owner.namespace, name: body.metadata.name ?? '' };
  const present = await client.get<ConfigMap>(CONFIG_MAPS, key, { signal }).catch(absent);
  if (present === undefined) return make(body, context);
  if (!isOwnedBy(present, owner)) return foreign(key.name, context);
  const { uid } = present.metadata;
  const pinned = { ...body, metadata: { ...body.metadata, ...(uid === undefined ? {} : { uid }) } };
  await client.apply(CONFIG_MAPS, pinned, { fieldManager: FIELD_MANAGER_OPERATOR, force: true, signal });
  return 'unchanged';
}

/** A plain create: one that appeared meanwhile makes it fail, and the next plan looks again. */
async function make(body: ConfigMap, { client, owner, signal }: PerformContext): Promise<Effect> {
  try {
    await client.create(CONFIG_MAPS, owner.namespace, body, { fieldManager: FIELD_MANAGER_OPERATOR, signal });
    return 'unchanged';
  } catch (error) {
    if (!isAlreadyExists(error)) throw error;
    return 'halt';
  }
}

function foreign(name: string, { announce, sandbox }: PerformContext): Effect {
  const note = `ConfigMap ${name} exists and does not belong to this Sandbox: the installation log is not kept`;
  announce(sandbox, [{ type: 'Warning', reason: 'InstallLogRefused', note }], []);
  return 'unchanged';
}
