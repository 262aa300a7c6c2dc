// SPDX-License-Identifier: Apache-2.0
import { COMPONENT_SANDBOX, LABEL_COMPONENT } from '@agenttier/crds/meta/labels';
import type { KubeClient } from '@agenttier/machinery/kube/client';
import { DEPLOYMENTS, NODES, PERSISTENT_VOLUME_CLAIMS, PODS } from '@agenttier/machinery/kube/resource';
import type { KubeObject, Resource } from '@agenttier/machinery/kube/resource';
import { Reflector } from '@agenttier/machinery/reflector/reflector';
import { Store } from '@agenttier/machinery/reflector/store';
import type { Logger } from '@agenttier/machinery/telemetry/log';
import { refusals } from '../api/errors.ts';
import { slimClaim, slimDeployment, slimNode, slimPodLoad } from './loads.ts';
import type { ClaimSize, HeadroomDeployment, NodeRoom, PodLoad } from './loads.ts';

/** What the glance, the nodes and the costs are worked out from. */
export interface ClusterView {
  readonly nodes: Store<NodeRoom>;
  readonly pods: Store<PodLoad>;
  readonly headroom: Store<HeadroomDeployment>;
  readonly claims: Store<ClaimSize>;
}

export interface OverviewOptions {
  readonly client: Pick<KubeClient, 'list' | 'watch'>;
  readonly installNamespace: string;
  readonly log: Logger;
  /** How long nobody must have looked for the watches to end, in milliseconds. */
  readonly idleMs?: number;
}

interface Running {
  readonly view: ClusterView;
  readonly ready: Promise<void>;
  readonly stop: AbortController;
}

export const COMPONENT_HEADROOM = 'headroom';
const of = (component: string): string => `${LABEL_COMPONENT}=${component}`;
const IDLE_MS = 10 * 60_000;
const PATIENCE_MS = 10_000;

/**
 * Nodes, pods, claims and placeholders of the whole cluster, reduced to a few numbers each and kept current by watches: no
 * request lists them. Few look at it and each watch costs every replica all pods of the cluster, so the watches begin when
 * somebody looks and end when nobody has for a while.
 */
export class Overview {
  readonly #options: OverviewOptions;
  #running: Running | undefined;
  #idle: NodeJS.Timeout | undefined;

  constructor(options: OverviewOptions) {
    this.#options = options;
  }

  /** The cluster as it is now. Throws 503 when it could not be read in time. */
  async look(signal: AbortSignal): Promise<ClusterView> {
    const { view, ready } = (this.#running ??= this.#start());
    clearTimeout(this.#idle);
    this.#idle = setTimeout(() => this.stop(), this.#options.idleMs ?? IDLE_MS);
    this.#idle.unref();
    const enough = AbortSignal.any([signal, AbortSignal.timeout(PATIENCE_MS)]);
    await Promise.race([ready, aborted(enough)]);
    if (enough.aborted)
      throw refusals.unavailable('the nodes and pods of the cluster have not been read yet');
    return view;
  }

  stop(): void {
    clearTimeout(this.#idle);
    this.#running?.stop.abort();
    this.#running = undefined;
  }

  #start(): Running {
    const stop = new AbortController();
    const view: ClusterView = {
      nodes: new Store({}, { keep: slimNode }),
      pods: new Store({}, { keep: slimPodLoad }),
      headroom: new Store({}, { keep: slimDeployment }),
      claims: new Store({}, { keep: slimClaim }),
    };
    const { installNamespace: namespace } = this.#options;
    const follow = <T extends KubeObject>(
      resource: Resource,
      store: Store<T>,
      selection = {},
    ): Promise<void> => {
      const reflector = new Reflector<T>({ ...this.#options, resource, store, ...selection });
      void reflector.run(stop.signal);
      return reflector.synced();
    };
    const read = [
      follow(NODES, view.nodes),
      follow(PODS, view.pods),
      follow(DEPLOYMENTS, view.headroom, { namespace, labelSelector: of(COMPONENT_HEADROOM) }),
      follow(PERSISTENT_VOLUME_CLAIMS, view.claims, { labelSelector: of(COMPONENT_SANDBOX) }),
    ];
    const ready = Promise.all(read).then(() => undefined);
    // Rejected when it is stopped before it was read; whoever waits then is answered by the time limit.
    ready.catch(() => undefined);
    return { view, ready, stop };
  }
}

const aborted = (signal: AbortSignal): Promise<void> =>
  new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', () => resolve(), { once: true });
  });
