// SPDX-License-Identifier: Apache-2.0
import type { Sandbox } from '@agenttier/crds/generated/types';
import { networkPolicyName, podName, serviceAccountName, tokenSecretName } from '@agenttier/crds/meta/names';
import type { TemplateKey, TemplateLookup } from '@agenttier/crds/template/compose';
import { pvcName } from '@agenttier/crds/meta/names';
import type { KubeObject } from '@agenttier/machinery/kube/resource';
import type { Store } from '@agenttier/machinery/reflector/store';
import type { Caches } from '../caches.ts';
import { activeHold } from '../decision/hold.ts';
import { verifyResolved } from '../decision/verify.ts';
import type { Settings } from '../settings.ts';
import type { Notes } from './notes.ts';
import { identityOf, isOwnedBy } from './ownership.ts';
import type { Identity } from './ownership.ts';
import type { SandboxState } from './state.ts';

export interface GatherInput {
  readonly caches: Caches;
  readonly settings: Settings;
  readonly notes: Notes;
  readonly now: number;
}

/** The state of one sandbox, out of the caches: no call, no waiting. */
export function gather(sandbox: Sandbox, { caches, settings, notes, now }: GatherInput): SandboxState {
  const owner = identityOf(sandbox);
  const { name } = owner;
  const own = <T extends KubeObject>(store: Store<T>, object: string): T | undefined =>
    ownObject(store.get(owner.namespace, object), owner, notes);
  if (isWanted(sandbox)) notes.wanted(now);
  else notes.unwanted();
  const pod = own(caches.pods, sandbox.status?.podName || podName(name));
  if (pod !== undefined) notes.podSeen(pod, now);
  const pvc = own(caches.pvcs, sandbox.status?.pvcName || pvcName(name));
  const networkPolicy = own(caches.networkPolicies, networkPolicyName(name));
  const tokenSecret = own(caches.secrets, tokenSecretName(name));
  const serviceAccount = own(caches.serviceAccounts, serviceAccountName(name));
  return {
    sandbox,
    owner,
    settings,
    resolution: verifyResolved(sandbox, lookupIn(caches)),
    observations: notes.observations(),
    ...(pod && { pod }),
    ...(pvc && { pvc }),
    ...(networkPolicy && { networkPolicy }),
    ...(tokenSecret && { tokenSecret }),
    ...(serviceAccount && { serviceAccount }),
  };
}

/** Whether the sandbox is to be up; what was noted about an earlier start is void when it is not. */
function isWanted(sandbox: Sandbox): boolean {
  const ended = sandbox.metadata.deletionTimestamp !== undefined || sandbox.spec?.desiredState === 'Stopped';
  return !ended && activeHold(sandbox) === undefined;
}

/**
 * The object if it is this Sandbox's. One that we deleted a moment ago reads as terminating although the watch has not
 * said so yet, so that it is neither deleted nor counted twice.
 */
function ownObject<T extends KubeObject>(
  object: T | undefined,
  owner: Identity,
  notes: Notes,
): T | undefined {
  if (object === undefined || !isOwnedBy(object, owner)) return undefined;
  const { metadata } = object;
  if (metadata.deletionTimestamp !== undefined || !notes.isDeleted(metadata.uid)) return object;
  return { ...object, metadata: { ...metadata, deletionTimestamp: new Date().toISOString() } };
}

export function lookupIn(caches: Caches): TemplateLookup {
  return (key: TemplateKey) =>
    key.kind === 'SandboxTemplate'
      ? caches.templates.get(key.namespace, key.name)
      : caches.clusterTemplates.get(undefined, key.name);
}
