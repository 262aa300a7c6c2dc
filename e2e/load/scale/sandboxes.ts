// SPDX-License-Identifier: Apache-2.0
import type { ClusterSandboxTemplate, Sandbox, SandboxSpec } from '@agenttier/crds/generated/types';
import { ANNOTATION_ADMITTED_AT, FINALIZER } from '@agenttier/crds/meta/labels';
import { CLUSTER_SANDBOX_TEMPLATES, SANDBOXES } from '@agenttier/crds/meta/resources';
import { DEFAULT_SETTINGS, resolve } from '@agenttier/crds/template/merge';
import type { KubeClient } from '@agenttier/machinery/kube/client';
import { Reflector } from '@agenttier/machinery/reflector/reflector';
import { Store } from '@agenttier/machinery/reflector/store';
import { silentLogger } from '@agenttier/machinery/telemetry/log';
import { SPACES } from './cluster.ts';

/** The sandboxes of the run, made as admission would hand them to storage, and watched. */
export class Fleet {
  readonly #client: KubeClient;
  readonly #store = new Store<Sandbox>();
  readonly #template: ClusterSandboxTemplate;
  #made = 0;
  #running = 0;
  #onRunning: () => void = () => undefined;

  private constructor(client: KubeClient, template: ClusterSandboxTemplate) {
    this.#client = client;
    this.#template = template;
    this.#store.subscribe(({ object, old }) => {
      const was = old?.status?.phase === 'Running';
      if (object.status?.phase !== 'Running' || was) return;
      this.#running += 1;
      this.#onRunning();
    });
  }

  static async start(client: KubeClient, signal: AbortSignal): Promise<Fleet> {
    const template = await client.get<ClusterSandboxTemplate>(CLUSTER_SANDBOX_TEMPLATES, { name: 'scale' });
    const fleet = new Fleet(client, { ...template, kind: 'ClusterSandboxTemplate' });
    // It ends with the signal, and reports what goes wrong by sandboxes that are not seen to run.
    const resource = SANDBOXES;
    void new Reflector({ client, resource, store: fleet.#store, log: silentLogger }).run(signal);
    return fleet;
  }

  /** Creates sandboxes, 32 at a time, until there are `size`; resolves when all of them run, with the milliseconds it took. */
  async growTo(size: number, deadlineMs: number): Promise<number> {
    const began = performance.now();
    const running = this.#until(size, deadlineMs);
    const worker = async (): Promise<void> => {
      while (this.#made < size) await this.#create(this.#made++);
    };
    await Promise.all([running, ...Array.from({ length: 32 }, worker)]);
    return performance.now() - began;
  }

  /** Changes something of `count` sandboxes that nothing follows from, so that each is looked at once. */
  async touch(count: number, value: string): Promise<void> {
    const some = this.#store.list().slice(0, count);
    for (const { metadata } of some) {
      const key = { namespace: metadata.namespace, name: metadata.name ?? '' };
      const body = { metadata: { annotations: { 'bench.agenttier.dev/touched': value } } };
      await this.#client.patch(SANDBOXES, key, { type: 'merge', body });
    }
  }

  #until(size: number, deadlineMs: number): Promise<void> {
    return new Promise((done, fail) => {
      const late = setTimeout(() => {
        const example = this.#store.list().find(({ status }) => status?.phase !== 'Running');
        const seen = JSON.stringify(example?.status ?? {});
        fail(new Error(`${this.#running} of ${size} run after ${deadlineMs} ms; one that does not: ${seen}`));
      }, deadlineMs);
      this.#onRunning = () => {
        if (this.#running < size) return;
        clearTimeout(late);
        done();
      };
    });
  }

  async #create(index: number): Promise<void> {
    const namespace = SPACES[index % SPACES.length] ?? '';
    const templateRef = { kind: 'ClusterSandboxTemplate', name: 'scale' } as const;
    const asked: SandboxSpec = {
      desiredState: 'Running',
      templateRef,
      env: [{ name: 'STAGE', value: 'bench' }],
      createdBy: { sub: `person-${index % 50}` },
    };
    const { kind = '', metadata, spec } = this.#template;
    const chain = [{ kind: kind as 'ClusterSandboxTemplate', metadata, spec: spec ?? {} }];
    await this.#client.create(SANDBOXES, namespace, {
      apiVersion: 'agenttier.io/v1alpha1',
      kind: 'Sandbox',
      metadata: {
        name: `s-${index}`,
        namespace,
        finalizers: [FINALIZER],
        annotations: { [ANNOTATION_ADMITTED_AT]: String(Date.now()) },
      },
      spec: { ...asked, resolved: resolve(asked, chain, DEFAULT_SETTINGS).resolved },
    });
  }
}
