// SPDX-License-Identifier: Apache-2.0
import { isAlreadyExists, isNotFound } from '../kube/errors.ts';
import { LEASES } from '../kube/resource.ts';
import type { KubeObject } from '../kube/resource.ts';
import type { LeaseSettings } from './settings.ts';

export interface LeaseObject extends KubeObject {
  readonly spec?: {
    readonly holderIdentity?: string | null;
    readonly leaseDurationSeconds?: number;
    readonly acquireTime?: string;
    readonly renewTime?: string;
    readonly leaseTransitions?: number;
  };
}

/** `failed`: the API server could not be asked, or somebody wrote at the same moment; who holds it is not known. */
export type Attempt = 'held' | 'taken' | 'failed';

/** RFC 3339 with microseconds, the only form that coordination.k8s.io and events.k8s.io take. */
export function microTime(ms: number): string {
  return new Date(ms).toISOString().replace('Z', '000Z');
}

/** One process trying to hold one Lease object. */
export class Candidate {
  readonly #settings: LeaseSettings;
  /** The lease as last seen, and when by the local clock: times written by other machines are never compared. */
  #observed: { readonly lease: LeaseObject; readonly at: number } | undefined;

  constructor(settings: LeaseSettings) {
    this.#settings = settings;
  }

  /** Takes or renews the lease if that is allowed now. Never throws for what the API server answers. */
  async attempt(timeoutMs: number): Promise<Attempt> {
    try {
      return await this.#attempt(timeoutMs);
    } catch (error) {
      this.#settings.log?.debug({ err: error, lease: this.#settings.name }, 'lease attempt failed');
      return 'failed';
    }
  }

  /** Gives the lease up, so that another candidate takes it at its next attempt. Best effort. */
  async release(): Promise<void> {
    const { client, clock, identity } = this.#settings;
    const lease = this.#observed?.lease;
    if (!lease || lease.spec?.holderIdentity !== identity) return;
    const now = microTime(clock.now());
    const spec = { ...lease.spec, holderIdentity: '', leaseDurationSeconds: 1, renewTime: now };
    try {
      await client.update<LeaseObject>(LEASES, { ...lease, spec }, { timeoutMs: 3000 });
      this.#settings.log?.info({ lease: this.#settings.name }, 'lease released');
    } catch (error) {
      this.#settings.log?.warn(
        { err: error, lease: this.#settings.name },
        'lease not released; it will expire',
      );
    }
  }

  async #attempt(timeoutMs: number): Promise<Attempt> {
    const lease = await this.#read(timeoutMs);
    if (!lease) return this.#create(timeoutMs);
    this.#observe(lease);
    if (this.#heldByAnother(lease)) return 'taken';
    return this.#take(lease, timeoutMs);
  }

  async #read(timeoutMs: number): Promise<LeaseObject | undefined> {
    const { client, namespace, name } = this.#settings;
    try {
      return await client.get<LeaseObject>(LEASES, { namespace, name }, { timeoutMs });
    } catch (error) {
      if (isNotFound(error)) return undefined;
      throw error;
    }
  }

  async #create(timeoutMs: number): Promise<Attempt> {
    const { client, namespace, name } = this.#settings;
    const body: LeaseObject = {
      metadata: { namespace, name },
      spec: { ...this.#claim(), leaseTransitions: 0 },
    };
    try {
      this.#observe(await client.create<LeaseObject>(LEASES, namespace, body, { timeoutMs }));
      return 'held';
    } catch (error) {
      if (isAlreadyExists(error)) return 'taken';
      throw error;
    }
  }

  /** Writes with the version that was read: of two candidates that saw the lease free, one gets 409. */
  async #take(lease: LeaseObject, timeoutMs: number): Promise<Attempt> {
    const { client, identity } = this.#settings;
    const ours = lease.spec?.holderIdentity === identity;
    const { acquireTime, ...claim } = this.#claim();
    const transitions = lease.spec?.leaseTransitions ?? 0;
    const spec = ours
      ? { ...lease.spec, ...claim }
      : { ...lease.spec, ...claim, acquireTime, leaseTransitions: transitions + 1 };
    this.#observe(await client.update<LeaseObject>(LEASES, { ...lease, spec }, { timeoutMs }));
    return 'held';
  }

  #claim(): Required<Omit<NonNullable<LeaseObject['spec']>, 'leaseTransitions'>> {
    const now = microTime(this.#settings.clock.now());
    return {
      holderIdentity: this.#settings.identity,
      leaseDurationSeconds: this.#settings.leaseSeconds,
      acquireTime: now,
      renewTime: now,
    };
  }

  #observe(lease: LeaseObject): void {
    const known = this.#observed?.lease.metadata.resourceVersion;
    if (known !== undefined && known === lease.metadata.resourceVersion) return;
    this.#observed = { lease, at: this.#settings.clock.monotonic() };
  }

  #heldByAnother(lease: LeaseObject): boolean {
    const holder = lease.spec?.holderIdentity;
    if (!holder || holder === this.#settings.identity) return false;
    const duration = (lease.spec?.leaseDurationSeconds ?? this.#settings.leaseSeconds) * 1000;
    return this.#settings.clock.monotonic() - (this.#observed?.at ?? 0) < duration;
  }
}
