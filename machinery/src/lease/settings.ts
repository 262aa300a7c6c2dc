// SPDX-License-Identifier: Apache-2.0
import type { KubeClient } from '../kube/client.ts';
import { systemClock } from '../runtime/clock.ts';
import type { Clock } from '../runtime/clock.ts';
import type { Logger } from '../telemetry/log.ts';

export interface LeaseOptions {
  readonly client: Pick<KubeClient, 'get' | 'create' | 'update'>;
  readonly namespace: string;
  readonly name: string;
  /** Unique per process, for instance the pod's name and a random part. */
  readonly identity: string;
  /** How long others wait after they last saw the lease renewed. Default 15. */
  readonly leaseSeconds?: number | undefined;
  /** How long the holder may fail to renew before it gives up. Default 10; must be below `leaseSeconds`. */
  readonly renewDeadline?: number | undefined;
  /** Seconds between attempts. Default 2; must be below `renewDeadline`. */
  readonly retryPeriod?: number | undefined;
  /** The work of the leader. Must end when its signal aborts. */
  readonly onLead: (signal: AbortSignal) => Promise<void>;
  readonly signal: AbortSignal;
  readonly log?: Logger | undefined;
  /** Told of every change, for a metric. */
  readonly onChange?: ((leading: boolean) => void) | undefined;
  readonly clock?: Clock | undefined;
  readonly random?: (() => number) | undefined;
}

export type LeaseSettings = LeaseOptions & {
  readonly leaseSeconds: number;
  readonly renewDeadline: number;
  readonly retryPeriod: number;
  readonly clock: Clock;
  readonly random: () => number;
};

/** The options with their defaults. Throws RangeError for times with which two could lead at once. */
export function checked(options: LeaseOptions): LeaseSettings {
  const { leaseSeconds = 15, renewDeadline = 10, retryPeriod = 2 } = options;
  if (leaseSeconds <= renewDeadline) throw new RangeError('leaseSeconds must be above renewDeadline');
  if (renewDeadline <= retryPeriod * 1.2)
    throw new RangeError('renewDeadline must be above 1.2 × retryPeriod');
  return {
    ...options,
    leaseSeconds,
    renewDeadline,
    retryPeriod,
    clock: options.clock ?? systemClock,
    random: options.random ?? Math.random,
  };
}
