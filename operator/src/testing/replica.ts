// SPDX-License-Identifier: Apache-2.0
import { LABEL_MANAGED } from '@agenttier/crds/meta/labels';
import { SANDBOX_WARM_POOLS, SANDBOXES } from '@agenttier/crds/meta/resources';
import { silentLogger } from '@agenttier/machinery/telemetry/log';
import { PODS } from '@agenttier/machinery/kube/resource';
import type { KubeObject, Resource } from '@agenttier/machinery/kube/resource';
import type { Store } from '@agenttier/machinery/reflector/store';
import { createCaches } from '../caches.ts';
import type { AgentTask } from '../agent/news.ts';
import type { Caches } from '../caches.ts';
import type { EventNote, Tally } from '../decision/actions.ts';
import type { Pod } from '../core.ts';
import type { PerformContext } from '../sandbox/context.ts';
import { createReconcile } from '../sandbox/controller.ts';
import { Notebook } from '../sandbox/notes.ts';
import type { RuntimeAnswer } from '../runtime/client.ts';
import type { Job } from '../runtime/jobs.ts';
import type { Settings } from '../settings.ts';
import type { Change, Cluster } from './cluster.ts';
import { SETTINGS, TEMPLATE } from './fixtures.ts';

const NOT_USED: RuntimeAnswer<unknown> = { ok: true, status: 200, body: { lastActivity: null } };
const KEY = 'team/one';
const OWN_KINDS: ReadonlySet<string> = new Set([SANDBOXES.plural, SANDBOX_WARM_POOLS.plural]);

interface ReplicaOptions {
  readonly settings?: Settings;
  readonly client?: Cluster['client'];
  readonly warm?: PerformContext['warm'];
}

/** One operator process on a `Cluster`: caches fed by its changes (held back while `deaf`), notes of its own. */
export class Replica {
  readonly caches: Caches = createCaches();
  readonly notebook = new Notebook();
  readonly events: EventNote[] = [];
  readonly tallies: Tally[] = [];
  readonly probed: string[] = [];
  readonly told: AgentTask[] = [];
  readonly jobs: Job[] = [];
  readonly #reconcile: (
    key: string,
    signal: AbortSignal,
  ) => Promise<void | { requeueAfterMs?: number | undefined }>;
  readonly #held: Change[] = [];
  #deaf = false;
  #answered = 0;

  constructor(cluster: Cluster, options: ReplicaOptions = {}) {
    this.#reconcile = createReconcile({
      client: options.client ?? cluster.client,
      caches: this.caches,
      settings: options.settings ?? SETTINGS,
      notebook: this.notebook,
      log: silentLogger,
      now: () => cluster.now(),
      announce: (_sandbox, events, tallies) => {
        this.events.push(...events);
        this.tallies.push(...tallies);
      },
      warm: options.warm,
      probe: { start: (_key, uid) => this.probed.push(uid), end: () => undefined },
      agents: { start: (_key, task) => this.told.push(task), end: () => undefined },
      jobs: { start: (key, job) => this.#start(key, job), forget: () => undefined },
    });
    this.caches.clusterTemplates.applyWatch(TEMPLATE);
    cluster.subscribe((change) => (this.#deaf ? this.#held.push(change) : this.#take(change)));
  }

  /** Like a watch that lags: changes are kept until `hear`. */
  deafen(): void {
    this.#deaf = true;
  }

  hear(): void {
    this.#deaf = false;
    for (const change of this.#held.splice(0)) this.#take(change);
  }

  async reconcile(key = KEY): Promise<number | undefined> {
    for (;;) {
      const answered = this.#answered;
      const result = await this.#reconcile(key, new AbortController().signal);
      // An answer of the runtime brings the key back at once.
      if (answered === this.#answered) return result?.requeueAfterMs;
    }
  }

  /** As the controller does: repeats while the API server says no. */
  async settle(tries = 20): Promise<number | undefined> {
    for (let left = tries; left > 0; left--) {
      try {
        return await this.reconcile();
      } catch (error) {
        if (left === 1) throw error;
      }
    }
    return undefined;
  }

  /** What the runtime says at once when it is asked for its last use. */
  used: (() => RuntimeAnswer<unknown>) | undefined = () => NOT_USED;

  #start(key: string, job: Job): void {
    this.jobs.push(job);
    const answer = job.call.path === '/activity' ? this.used?.() : undefined;
    if (answer === undefined) return;
    this.#answered++;
    this.endJob(job.id, answer, key);
  }

  /** The runtime has answered a job that was started. */
  endJob(id: string, answer: RuntimeAnswer<unknown>, key = KEY): void {
    this.notebook.peek(key)?.jobEnded(id, answer);
  }

  answer(podUid: string, key = KEY): void {
    this.notebook.peek(key)?.runtimeAnswered(podUid);
  }

  #take({ resource, gone, object }: Change): void {
    const store = this.#storeOf(resource);
    // An object without the label is gone as far as a watch by that label is concerned.
    const unlabelled = !OWN_KINDS.has(resource.plural) && object.metadata.labels?.[LABEL_MANAGED] !== 'true';
    if (gone || unlabelled) {
      store?.deleteWatch(object);
      this.notebook.onRemoval(KEY, resource.plural === PODS.plural ? (object as Pod) : undefined);
    } else store?.applyWatch(object);
  }

  #storeOf(resource: Resource): Store<KubeObject> | undefined {
    const stores: Readonly<Record<string, unknown>> = {
      sandboxes: this.caches.sandboxes,
      pods: this.caches.pods,
      persistentvolumeclaims: this.caches.pvcs,
      networkpolicies: this.caches.networkPolicies,
      secrets: this.caches.secrets,
      serviceaccounts: this.caches.serviceAccounts,
      volumesnapshots: this.caches.snapshots.store,
      ciliumnetworkpolicies: this.caches.ciliumPolicies.store,
      sandboxwarmpools: this.caches.pools,
    };
    return stores[resource.plural] as Store<KubeObject> | undefined;
  }
}
