// SPDX-License-Identifier: Apache-2.0
import type { KubeClient } from '@agenttier/machinery/kube/client';

/** A cluster learns it when it is upgraded, which takes longer than this. */
const REMEMBERED_MS = 600_000;

/** Whether pods of this cluster can change their CPU and memory in place: `pods/resize`, Kubernetes 1.33 and newer. */
export class PodResize {
  readonly #client: Pick<KubeClient, 'raw'>;
  readonly #now: () => number;
  #known: { readonly available: boolean; readonly at: number } | undefined;

  constructor(client: Pick<KubeClient, 'raw'>, now: () => number = Date.now) {
    this.#client = client;
    this.#now = now;
  }

  /** False also while the API server does not say. */
  async available(): Promise<boolean> {
    if (this.#known && this.#now() - this.#known.at < REMEMBERED_MS) return this.#known.available;
    try {
      // Discovery: whoever is authenticated may read it.
      const { body } = await this.#client.raw({ method: 'GET', path: '/api/v1' }, { timeoutMs: 3_000 });
      const { resources = [] } = body as { resources?: readonly { readonly name: string }[] };
      const available = resources.some(({ name }) => name === 'pods/resize');
      this.#known = { available, at: this.#now() };
      return available;
    } catch {
      return false;
    }
  }
}
