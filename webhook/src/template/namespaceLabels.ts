// SPDX-License-Identifier: Apache-2.0
import type { NamespaceLabels } from '@agenttier/crds/template/compose';
import type { KubeClient } from '@agenttier/machinery/kube/client';
import { isNotFound } from '@agenttier/machinery/kube/errors';
import { NAMESPACES } from '@agenttier/machinery/kube/resource';

/** How long labels are good for: a namespace that loses one keeps its templates for this long at most. */
const LABELS_MS = 5_000;
const LABELS_ENTRIES = 1_000;

type Labels = Readonly<Record<string, string>>;

/** Labels of namespaces, read only for templates that select by them, and then once in a few seconds. */
export class NamespaceLabelCache {
  readonly #client: Pick<KubeClient, 'get'>;
  readonly #now: () => number;
  readonly #known = new Map<string, { readonly labels: Labels; readonly at: number }>();

  constructor(client: Pick<KubeClient, 'get'>, now: () => number) {
    this.#client = client;
    this.#now = now;
  }

  /**
   * For one composition, which cannot wait: `current` notes that it was asked what is not known, and `readIfAsked` then
   * reads it and says that it is worth trying again. With `fresh` a remembered answer does not count.
   */
  reader(
    namespace: string,
    { fresh = false, signal }: { readonly fresh?: boolean; readonly signal: AbortSignal },
  ): { readonly current: NamespaceLabels; readIfAsked(): Promise<boolean> } {
    let labels = fresh ? undefined : this.#remembered(namespace);
    let asked = false;
    return {
      current: () => {
        asked ||= labels === undefined;
        return labels;
      },
      readIfAsked: async () => {
        if (!asked || labels !== undefined) return false;
        labels = await this.#read(namespace, signal);
        return true;
      },
    };
  }

  #remembered(namespace: string): Labels | undefined {
    const found = this.#known.get(namespace);
    return found !== undefined && this.#now() - found.at < LABELS_MS ? found.labels : undefined;
  }

  async #read(namespace: string, signal: AbortSignal): Promise<Labels> {
    const labels = await this.#client.get(NAMESPACES, { name: namespace }, { signal }).then(
      ({ metadata }) => metadata.labels ?? {},
      (error: unknown) => {
        if (!isNotFound(error)) throw error;
        return {};
      },
    );
    if (this.#known.size >= LABELS_ENTRIES) this.#known.clear();
    this.#known.set(namespace, { labels, at: this.#now() });
    return labels;
  }
}
