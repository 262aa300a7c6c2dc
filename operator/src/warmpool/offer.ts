// SPDX-License-Identifier: Apache-2.0
import { listsDomains } from '@agenttier/crds/egress/enforcement';
import type { SandboxWarmPool } from '@agenttier/crds/generated/types';
import type { EffectivePolicy } from '@agenttier/crds/governance/effective';
import { evaluate } from '@agenttier/crds/governance/evaluate';
import { POLICY_NAME } from '@agenttier/crds/meta/resources';
import { composeChain } from '@agenttier/crds/template/compose';
import type { TemplateObject } from '@agenttier/crds/template/compose';
import { resolve } from '@agenttier/crds/template/merge';
import type { Caches } from '../caches.ts';
import { policyIn } from '../policy/compliance.ts';
import { lookupIn } from '../sandbox/gather.ts';
import type { Settings } from '../settings.ts';
import { fitOf } from './slot.ts';
import type { Offer } from './state.ts';

interface Source {
  readonly caches: Caches;
  readonly settings: Settings;
}

export const GONE: Offer = { ok: false, reason: 'Deleted', message: 'the pool is deleted' };

/** Remembers the last answer of a pool: merging and hashing cost more than all else, and most events change neither. */
export class OfferMemo {
  #key = '';
  #offer: Offer = GONE;

  of(pool: SandboxWarmPool, source: Source): Offer {
    const { namespace = '', deletionTimestamp, uid, generation } = pool.metadata;
    if (deletionTimestamp !== undefined) return GONE;
    const { caches } = source;
    const chain = composeChain(pool.spec.templateRef, namespace, lookupIn(caches));
    if (!chain.ok) return { ok: false, reason: 'TemplateNotUsable', message: chain.violation.message };
    const policy = policyIn(caches, namespace);
    if (policy === undefined) return UNREADABLE;
    const policies = [
      caches.clusterPolicies.get(undefined, POLICY_NAME),
      caches.policies.get(namespace, POLICY_NAME),
    ];
    const versions = [...chain.chain, ...policies].map(
      (one) => `${one?.metadata.uid}@${one?.metadata.generation}`,
    );
    const key = [uid, generation, ...versions].join(' ');
    if (key !== this.#key) {
      this.#offer = offerOf(pool, chain.chain, { policy, settings: source.settings });
      this.#key = key;
    }
    return this.#offer;
  }
}

const UNREADABLE: Offer = {
  ok: false,
  reason: 'PolicyUnreadable',
  message: 'a policy of the namespace or of the cluster cannot be read',
  undecided: true,
};

const COLD_ONLY: Offer = {
  ok: false,
  reason: 'DomainsStartCold',
  message: 'the template lists network.allowedDomains, and such sandboxes start cold: take the pool away',
};

interface Rules {
  readonly policy: EffectivePolicy;
  readonly settings: Settings;
}

/** What a sandbox would be that names the pool's template and says nothing else, judged by today's policy. */
function offerOf(
  pool: SandboxWarmPool,
  chain: readonly TemplateObject[],
  { policy, settings }: Rules,
): Offer {
  const { namespace = '' } = pool.metadata;
  const spec = sandboxOf(pool);
  const { resolved } = resolve(spec, chain, { ...settings.resolve, effectivePolicy: policy });
  if (resolved.spec === undefined) return GONE;
  const [first] = evaluate({ namespace, spec, resolved, policy }).violations;
  if (first !== undefined) {
    return { ok: false, reason: 'PolicyDenied', message: `${first.message} [${first.code}]` };
  }
  if (listsDomains(resolved.spec)) return COLD_ONLY;
  const template = chain.at(-1)?.metadata.name;
  return { ok: true, spec: resolved.spec, template, fit: fitOf(resolved.spec, settings) };
}

function sandboxOf({ spec: { templateRef, volume = {} } }: SandboxWarmPool): object {
  const { size, storageClass } = volume;
  const storage = { ...(size === undefined ? {} : { size }), ...(storageClass ? { storageClass } : {}) };
  return { templateRef, ...(Object.keys(storage).length > 0 ? { storage } : {}) };
}
