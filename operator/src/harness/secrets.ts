// SPDX-License-Identifier: Apache-2.0
import type { EffectiveSpec } from '@agenttier/crds/generated/types';
import { LABEL_SECRET_PURPOSE, SECRET_PURPOSES } from '@agenttier/crds/meta/labels';
import { planSecretName } from '@agenttier/crds/meta/names';
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
