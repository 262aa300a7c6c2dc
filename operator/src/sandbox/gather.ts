// SPDX-License-Identifier: Apache-2.0
import type { Sandbox } from '@agenttier/crds/generated/types';
import {
  networkPolicyName,
  podName,
  pvcName,
  serviceAccountName,
  tokenSecretName,
} from '@agenttier/crds/meta/names';
import type { TemplateKey, TemplateLookup } from '@agenttier/crds/template/compose';
import type { KubeObject } from '@agenttier/machinery/kube/resource';
import type { Store } from '@agenttier/machinery/reflector/store';
import type { Caches } from '../caches.ts';
import { activeHold } from '../decision/hold.ts';
import { verifyResolved } from '../decision/verify.ts';
import { policyIn, violationsNow } from '../policy/compliance.ts';
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
export function gather(sandbox: Sandbox, input: GatherInput): SandboxState {
  const { caches, settings, notes, now } = input;
  const owner = identityOf(sandbox);
  if (isWanted(sandbox)) notes.wanted(now);
  else notes.unwanted();
  const objects = ownObjects(sandbox, owner, input);
  if (objects.pod !== undefined) notes.podSeen(objects.pod, now);
  // What was waited for is here.
  for (const kind of Object.keys(objects) as (keyof Objects)[]) notes.seen(kind);
  const resolution = verifyResolved(sandbox, lookupIn(caches));
  const storage = {
    storageClasses: new Map(caches.storageClasses.list().map((one) => [one.metadata.name ?? '', one])),
    ...ownSnapshots(owner, input),
  };
  const violations = violationsNow(sandbox, policyIn(caches, owner.namespace));
  return {
    sandbox,
    owner,
    settings,
    resolution,
    violations,
    observations: notes.observations(),
    ...storage,
    ...objects,
  };
}

type Objects = Pick<SandboxState, 'pod' | 'pvc' | 'networkPolicy' | 'tokenSecret' | 'serviceAccount'>;

function ownObjects({ status }: Sandbox, owner: Identity, { caches, notes }: GatherInput): Objects {
  const { namespace, name } = owner;
  const own = <F extends string, T extends KubeObject>(
    field: F,
    store: Store<T>,
    object: string,
  ): { readonly [K in F]?: T } => {
    const found = ownObject(store.get(namespace, object), owner, notes);
    return (found === undefined ? {} : { [field]: found }) as { [K in F]?: T };
  };
  return {
    ...own('pod', caches.pods, status?.podName || podName(name)),
    ...own('pvc', caches.pvcs, status?.pvcName || pvcName(name)),
    ...own('networkPolicy', caches.networkPolicies, networkPolicyName(name)),
    ...own('tokenSecret', caches.secrets, tokenSecretName(name)),
    ...own('serviceAccount', caches.serviceAccounts, serviceAccountName(name)),
  };
}

/** Snapshots by label, of which only those count that no other controller owns. */
function ownSnapshots(owner: Identity, { caches, notes }: GatherInput): Pick<SandboxState, 'snapshots'> {
  const found = caches.snapshots.of(owner.uid);
  if (found === undefined) return {};
  return { snapshots: found.flatMap((one) => ownObject(one, owner, notes) ?? []) };
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
