// SPDX-License-Identifier: Apache-2.0
import type { Sandbox, SandboxStatus } from '@agenttier/crds/generated/types';
import { findCondition } from '@agenttier/crds/meta/conditions';
import type { Condition } from '@agenttier/crds/meta/conditions';
import { SANDBOXES } from '@agenttier/crds/meta/resources';
import type { Settings } from '../settings.ts';
import { Cluster } from './cluster.ts';
import { sandbox, SETTINGS, T0 } from './fixtures.ts';
import type { SandboxOptions } from './fixtures.ts';
import { READY_POD } from './pods.ts';
import { Replica } from './replica.ts';

/** One Sandbox `one`, one cluster, one operator, and a clock that only moves by hand. */
export class Scenario {
  readonly cluster = new Cluster();
  #operator: Replica | undefined;
  #time = T0;

  constructor() {
    this.cluster.now = () => this.#time;
  }

  get operator(): Replica {
    this.#operator ??= new Replica(this.cluster);
    return this.#operator;
  }

  get time(): number {
    return this.#time;
  }

  advance(ms: number): void {
    this.#time += ms;
  }

  /** As `kubectl apply`, with an operator that has just come up. */
  apply(options: SandboxOptions = {}, settings: Settings = SETTINGS): void {
    this.put(sandbox(options));
    this.#operator = new Replica(this.cluster, { settings });
  }

  put(object: Sandbox): void {
    this.cluster.put(SANDBOXES, object);
  }

  /** Applies and brings it to Running. */
  async start(options: SandboxOptions = {}, settings: Settings = SETTINGS): Promise<void> {
    this.apply(options, settings);
    await this.operator.reconcile();
    this.cluster.setPodStatus(READY_POD);
    await this.operator.reconcile();
    if (this.status().phase !== 'Running') throw new Error(`expected Running, not ${this.status().phase}`);
  }

  status(): SandboxStatus {
    return this.cluster.sandbox().status ?? {};
  }

  condition(type: string): Condition | undefined {
    return findCondition(this.status().conditions, type);
  }

  annotate(name: string, value: string): void {
    this.cluster.editSandbox((one) => {
      const annotations = { ...one.metadata.annotations, [name]: value };
      return { ...one, metadata: { ...one.metadata, annotations } };
    });
  }

  desire(desiredState: 'Running' | 'Stopped'): void {
    this.cluster.editSandbox((one) => ({ ...one, spec: { ...one.spec, desiredState } }));
  }
}
