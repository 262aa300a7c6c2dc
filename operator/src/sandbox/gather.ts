// SPDX-License-Identifier: Apache-2.0
import { violationsNow } from '@agenttier/crds/governance/violators';
import type { Sandbox } from '@agenttier/crds/generated/types';
import type { TemplateKey, TemplateLookup } from '@agenttier/crds/template/compose';
import { BY_SANDBOX_UID } from '../caches.ts';
import type { Caches } from '../caches.ts';
import type { Secret } from '../core.ts';
import { activeHold } from '../decision/hold.ts';
import { verifyResolved } from '../decision/verify.ts';
import { networkFacts } from '../egress/facts.ts';
import { isPlanSecret } from '../harness/secrets.ts';
import { policyIn } from '../policy/compliance.ts';
import type { Settings } from '../settings.ts';
import { slotKeyOf } from '../warmpool/key.ts';
import type { Slots } from '../warmpool/slots.ts';
import { storageOf } from '../volume/storage.ts';
import type { Notes } from './notes.ts';
import { findObjects } from './objects.ts';
import type { Objects } from './objects.ts';
import { isOwnedBy } from './ownership.ts';
import type { Identity } from './ownership.ts';
import type { SandboxState } from './state.ts';

export interface GatherInput {
  readonly caches: Caches;
  readonly settings: Settings;
  readonly notes: Notes;
  readonly now: number;
  readonly slots?: Slots | undefined;
}

/** The state of one sandbox, out of the caches: no call, no waiting. */
export function gather(sandbox: Sandbox, input: GatherInput): SandboxState {
  const { caches, settings, notes, now } = input;
  if (isWanted(sandbox)) notes.wanted(now);
  else notes.unwanted();
  const { owner, objects, surplus } = findObjects(sandbox, input);
  if (objects.pod !== undefined) notes.podSeen(objects.pod, now);
  // What was waited for is here.
  for (const kind of Object.keys(objects) as (keyof Objects)[]) notes.seen(kind);
  const resolution = verifyResolved(sandbox, lookupIn(caches));
  const storage = storageOf(sandbox, owner, input);
  const policy = policyIn(caches, owner.namespace);
  const violations = violationsNow(sandbox, policy);
  const network = networkFacts(caches, resolution.ok ? resolution.spec : undefined, {
    namespace: owner.namespace,
    settings,
    objects,
  });
  const observations = notes.observations();
  const state = {
    ...(policy === undefined ? {} : { policy }),
    sandbox,
    owner,
    settings,
    resolution,
    violations,
    network,
    observations,
    surplus,
    planSecrets: planSecretsOf(input, owner),
    ...storage,
    ...objects,
  };
  return { ...state, slotKey: slotKeyOf(state, input.slots) };
}

/** Without those that we deleted a moment ago, before the watch says so. */
const planSecretsOf = ({ caches, notes }: GatherInput, owner: Identity): Secret[] =>
  caches.secrets
    .byIndex(BY_SANDBOX_UID, owner.uid)
    .filter(
      (secret) => isPlanSecret(secret) && isOwnedBy(secret, owner) && !notes.isDeleted(secret.metadata.uid),
    );

/** Whether the sandbox is to be up; what was noted about an earlier start is void when it is not. */
function isWanted(sandbox: Sandbox): boolean {
  const ended = sandbox.metadata.deletionTimestamp !== undefined || sandbox.spec?.desiredState === 'Stopped';
  return !ended && activeHold(sandbox) === undefined;
}

export function lookupIn(caches: Caches): TemplateLookup {
  return (key: TemplateKey) =>
    key.kind === 'SandboxTemplate'
      ? caches.templates.get(key.namespace, key.name)
      : caches.clusterTemplates.get(undefined, key.name);
}
