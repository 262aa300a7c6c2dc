// SPDX-License-Identifier: Apache-2.0
import type { EffectiveSpec } from '@agenttier/crds/generated/types';
import { LABEL_MANAGED, LABEL_SECRET_PURPOSE, SECRET_PURPOSES } from '@agenttier/crds/meta/labels';
import { planSecretName } from '@agenttier/crds/meta/names';
import type { KubeObject } from '@agenttier/machinery/kube/resource';
import type { Pod, Secret } from '../core.ts';
import { ownedMeta } from '../sandbox/ownership.ts';
import type { Identity } from '../sandbox/ownership.ts';
import { contentOf } from './content.ts';

/**
 * The Secrets with what the next start brings in. Their names follow from their content and they are immutable, so one
 * of that name is right, and none ever has to be repaired.
 */
export function planSecrets(owner: Identity, spec: EffectiveSpec): Secret[] {
  return (contentOf(spec)?.bundles ?? []).map(({ hash, data }) => {
    const meta = ownedMeta(owner, planSecretName(owner.name, hash));
    return {
      metadata: { ...meta, labels: { ...meta.labels, [LABEL_SECRET_PURPOSE]: SECRET_PURPOSES.plan } },
      type: 'Opaque',
      immutable: true,
      data,
    };
  });
}

/**
 * The same for a slot. They belong to its pod and go with it, claimed or not: the sandbox that takes the slot has Secrets
 * of its own at its next start. A pod that is made a moment before them waits for them.
 */
export function slotPlanSecrets({ metadata }: KubeObject, spec: EffectiveSpec): Secret[] {
  const { namespace = '', name = '', uid = '' } = metadata;
  const owner = { apiVersion: 'v1', kind: 'Pod', name, uid, controller: true, blockOwnerDeletion: false };
  const labels = { [LABEL_MANAGED]: 'true', [LABEL_SECRET_PURPOSE]: SECRET_PURPOSES.plan };
  return planSecrets({ namespace, name, uid: '' }, spec).map((secret) => ({
    ...secret,
    metadata: { name: secret.metadata.name ?? '', namespace, labels, ownerReferences: [owner] },
  }));
}

export const isPlanSecret = (secret: Secret): boolean =>
  secret.metadata.labels?.[LABEL_SECRET_PURPOSE] === SECRET_PURPOSES.plan;

interface Projection {
  readonly projected?: {
    readonly sources?: readonly { readonly secret?: { readonly name?: string } }[];
  };
}

/** Secrets that the volumes of a pod are projected from. */
export function projectedSecrets(pod: Pod | undefined): ReadonlySet<string> {
  const volumes = (pod?.spec['volumes'] ?? []) as readonly Projection[];
  const names = volumes.flatMap(({ projected }) =>
    (projected?.sources ?? []).map(({ secret }) => secret?.name),
  );
  return new Set(names.filter((name) => name !== undefined));
}
