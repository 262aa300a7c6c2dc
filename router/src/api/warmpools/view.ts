// SPDX-License-Identifier: Apache-2.0
import type { SandboxWarmPool } from '@agenttier/crds/generated/types';

export interface WarmPoolView {
  readonly name: string;
  readonly namespace: string;
  readonly template: string;
  readonly desiredCount: number;
  readonly readyCount: number;
  readonly pendingCount: number;
  readonly failedCount: number;
  readonly claimedTotal: number;
  readonly missTotal: number;
  /** Why it is not full, as the condition `Ready` says. */
  readonly reason?: string;
  readonly message?: string;
  readonly resourceVersion: string;
  readonly spec: object;
}

export function poolView({ metadata, spec, status = {} }: SandboxWarmPool): WarmPoolView {
  return {
    name: metadata.name ?? '',
    namespace: metadata.namespace ?? '',
    template: spec.templateRef.name,
    desiredCount: desiredCount(spec),
    ...countsOf(status),
    ...reasonOf(status),
    resourceVersion: metadata.resourceVersion ?? '',
    spec,
  };
}

/** A pool that follows demand keeps at least its minimum; without either number it keeps one. */
const desiredCount = ({ replicas, autoscale }: SandboxWarmPool['spec']): number =>
  replicas ?? autoscale?.min ?? 1;

type Status = NonNullable<SandboxWarmPool['status']>;

const countsOf = ({ free = 0, building = 0, failed = 0, claimedTotal = 0, missTotal = 0 }: Status) => ({
  readyCount: free,
  pendingCount: building,
  failedCount: failed,
  claimedTotal,
  missTotal,
});

function reasonOf({ conditions = [] }: Status): Pick<WarmPoolView, 'reason' | 'message'> {
  const ready = conditions.find(({ type }) => type === 'Ready');
  return ready === undefined || ready.status === 'True'
    ? {}
    : { reason: ready.reason, message: ready.message };
}

/** All pools, and for clients that know of one pool only the same of that one beside. */
export function poolsStatus(views: readonly WarmPoolView[]): object {
  const pools = views.map(({ spec: _spec, resourceVersion: _version, ...view }) => view);
  const [only] = pools;
  if (only === undefined || pools.length > 1) return pools.length === 0 ? {} : { pools };
  const { template, desiredCount: desired, readyCount, pendingCount } = only;
  return { pools, template, desiredCount: desired, readyCount, pendingCount };
}
