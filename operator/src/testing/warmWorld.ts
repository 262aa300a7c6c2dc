// SPDX-License-Identifier: Apache-2.0
import type { SandboxWarmPool } from '@agenttier/crds/generated/types';
import { LABEL_SANDBOX_UID, LABEL_SLOT } from '@agenttier/crds/meta/labels';
import { SANDBOX_WARM_POOLS, SANDBOXES } from '@agenttier/crds/meta/resources';
import { PERSISTENT_VOLUME_CLAIMS, PODS } from '@agenttier/machinery/kube/resource';
import type { KubeObject } from '@agenttier/machinery/kube/resource';
import { silentLogger } from '@agenttier/machinery/telemetry/log';
import type { Pod } from '../core.ts';
import type { AskRuntime } from '../runtime/client.ts';
import { PoolKeeper } from '../warmpool/controller.ts';
import { Slots } from '../warmpool/slots.ts';
import { Cluster } from './cluster.ts';
import { sandbox, SETTINGS, T0 } from './fixtures.ts';
import type { SandboxOptions } from './fixtures.ts';
import { READY_POD } from './pods.ts';
import { Replica } from './replica.ts';

export const POOL_KEY = 'team/pool';

/** What a runtime was told by `POST /adopt`. */
export interface Adoption {
  readonly host: string;
  readonly sandbox: string;
  readonly env: readonly { name: string; value?: string }[];
}

const notYet = async (): Promise<'notYet'> => 'notYet';

/** An operator process with its pools; `kill` ends it where it stands. */
export class WarmOperator {
  readonly slots: Slots;
  readonly replica: Replica;
  readonly keeper: PoolKeeper;
  readonly #stop: () => void;

  constructor(world: WarmWorld) {
    const { cluster } = world;
    this.slots = new Slots(() => cluster.now());
    const warm = { slots: this.slots, ask: world.ask, tokenKey: SETTINGS.tokenKey };
    this.replica = new Replica(cluster, { warm });
    const { caches } = this.replica;
    const now = (): number => cluster.now();
    const parts = { client: cluster.client, caches, settings: SETTINGS, slots: this.slots };
    const options = { ...parts, ask: notYet, now };
    this.keeper = new PoolKeeper({ ...options, log: silentLogger }, AbortSignal.abort());
    this.#stop = this.keeper.feed();
  }

  kill(): void {
    this.#stop();
    this.replica.deafen();
  }
}

/** A cluster with pools, a faultless kubelet, and runtimes that remember who adopted them. */
export class WarmWorld {
  readonly cluster = new Cluster();
  readonly adopted = new Map<string, string>();
  readonly adoptions: Adoption[] = [];
  /** How many connections to a runtime come to nothing before one stands. */
  dropped = 0;
  /** Called before a runtime answers; throwing loses the request. */
  beforeAdopt: (() => void) | undefined;
  /** Called after it took the request; throwing loses the answer. */
  afterAdopt: (() => void) | undefined;
  operator: WarmOperator;
  #time = T0;

  constructor() {
    this.cluster.now = () => this.#time;
    this.operator = new WarmOperator(this);
  }

  readonly ask: AskRuntime = async ({ host }, { body }) => {
    const request = body as { sandbox: string; env: Adoption['env'] };
    if (this.dropped > 0) {
      this.dropped--;
      return { ok: false, cause: 'unreachable', message: 'no connection came about' };
    }
    try {
      this.beforeAdopt?.();
      const before = this.adopted.get(host);
      if (before !== undefined && before !== request.sandbox) {
        return { ok: false, cause: 'refused', status: 409, message: 'adopted by another sandbox' };
      }
      this.adopted.set(host, request.sandbox);
      this.adoptions.push({ host, sandbox: request.sandbox, env: request.env });
      this.afterAdopt?.();
      return { ok: true, status: 200, body: undefined as never };
    } catch (error) {
      return { ok: false, cause: 'lost', message: String(error) };
    }
  };

  /** A new leader; the old one is gone. */
  takeOver(): void {
    this.operator.kill();
    this.cluster.before = undefined;
    this.cluster.after = undefined;
    this.beforeAdopt = undefined;
    this.afterAdopt = undefined;
    this.operator = new WarmOperator(this);
  }

  advance(ms: number): void {
    this.#time += ms;
  }

  pool(spec: Partial<SandboxWarmPool['spec']> = {}, name = 'pool'): void {
    const before = this.cluster.find(SANDBOX_WARM_POOLS, 'team', name) as SandboxWarmPool | undefined;
    const generation = (before?.metadata.generation ?? 0) + 1;
    this.cluster.put(SANDBOX_WARM_POOLS, {
      ...before,
      metadata: { ...before?.metadata, name, namespace: 'team', uid: `uid-${name}`, generation },
      spec: { templateRef: { name: 'base' }, replicas: 1, ...spec },
    } as KubeObject);
  }

  sandbox(options: SandboxOptions = {}): void {
    this.cluster.put(SANDBOXES, sandbox(options));
  }

  pods(): Pod[] {
    return this.cluster.objects<Pod>(PODS);
  }

  claimed(): Pod[] {
    return this.pods().filter(({ metadata }) => metadata.labels?.[LABEL_SANDBOX_UID] !== undefined);
  }

  slots(): Pod[] {
    return this.pods().filter(
      ({ metadata: { labels = {} } }) =>
        labels[LABEL_SLOT] !== undefined && labels[LABEL_SANDBOX_UID] === undefined,
    );
  }

  volumes(): string[] {
    return this.cluster.objects(PERSISTENT_VOLUME_CLAIMS).map(({ metadata }) => metadata.name ?? '');
  }

  poolStatus(name = 'pool'): NonNullable<SandboxWarmPool['status']> {
    return (this.cluster.find(SANDBOX_WARM_POOLS, 'team', name) as SandboxWarmPool | undefined)?.status ?? {};
  }

  /** Every pod comes up, or is gone, as it should. */
  kubelet(): void {
    this.pods().forEach((pod, i) => {
      if (pod.metadata.deletionTimestamp !== undefined) this.cluster.endPod(pod);
      else if (pod.status === undefined) {
        const podIP = `10.0.1.${this.adopted.size + i + 1}-${pod.metadata.uid}`;
        this.cluster.put(PODS, { ...pod, status: { ...READY_POD, podIP } } as KubeObject);
      }
    });
  }

  /** Pools and kubelet work until the pools are as wanted. */
  async fill(rounds = 6): Promise<void> {
    for (let round = 0; round < rounds; round++) {
      this.advance(1_000);
      await this.reconcilePools();
      this.kubelet();
    }
  }

  async reconcilePools(key = POOL_KEY): Promise<void> {
    await this.operator.keeper.reconcile(key);
  }

  async start(name = 'one'): Promise<void> {
    await this.operator.replica.reconcile(`team/${name}`);
  }
}
