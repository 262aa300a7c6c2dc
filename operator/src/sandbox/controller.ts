// SPDX-License-Identifier: Apache-2.0
import type { Sandbox } from '@agenttier/crds/generated/types';
import { LABEL_SANDBOX } from '@agenttier/crds/meta/labels';
import { templateKey } from '@agenttier/crds/template/users';
import type { ReconcileResult } from '@agenttier/machinery/controller/controller';
import type { WorkQueue } from '@agenttier/machinery/controller/workqueue';
import type { KubeObject } from '@agenttier/machinery/kube/resource';
import { keyOf } from '@agenttier/machinery/reflector/store';
import type { Store, StoreEvent } from '@agenttier/machinery/reflector/store';
import type { Logger } from '@agenttier/machinery/telemetry/log';
import { BY_TEMPLATE } from '../caches.ts';
import type { Caches } from '../caches.ts';
import { no } from '../decision/conditions.ts';
import { specMoved } from '../events.ts';
import { runtimeOf } from '../runtime/address.ts';
import type { RuntimeAddress } from '../runtime/address.ts';
import type { Job } from '../runtime/jobs.ts';
import type { Settings } from '../settings.ts';
import { gather } from './gather.ts';
import type { Notebook } from './notes.ts';
import { identityOf } from './ownership.ts';
import { perform } from './perform.ts';
import type { PerformContext } from './context.ts';
import { plan } from './plan.ts';
import type { SandboxState } from './state.ts';
import { statusStage } from './status.ts';

export interface ReconcilerOptions {
  readonly client: PerformContext['client'];
  readonly caches: Caches;
  readonly settings: Settings;
  readonly notebook: Notebook;
  readonly log: Logger;
  readonly announce: PerformContext['announce'];
  readonly probe: { start(key: string, podUid: string, podIp: string): void; end(key: string): void };
  readonly jobs: { start(key: string, job: Job, address: RuntimeAddress): void; forget(key: string): void };
  readonly now?: () => number;
}

/**
 * Plans that one reconcile carries out one after the other. A start takes two: make everything, then say so. More only
 * happens when answers contradict the cache; the queue then comes back after a pause.
 */
const MAX_ROUNDS = 6;

/** Brings one Sandbox, named by its key, closer to what it should be. Rejects with KubeError when repeating may help. */
export function createReconcile(
  options: ReconcilerOptions,
): (key: string, signal: AbortSignal) => Promise<ReconcileResult> {
  return async (key, signal) => {
    for (let round = 0; round < MAX_ROUNDS; round++) {
      const sandbox = options.caches.sandboxes.getByKey(key);
      if (sandbox === undefined) return forget(options, key);
      const result = await reconcileOnce(options, { key, sandbox, signal });
      if (result !== 'again') return result;
    }
    return { requeueAfterMs: 200 };
  };
}

function forget({ notebook, probe, jobs }: ReconcilerOptions, key: string): void {
  notebook.forget(key);
  jobs.forget(key);
  probe.end(key);
}

interface Turn {
  readonly key: string;
  readonly sandbox: Sandbox;
  readonly signal: AbortSignal;
}

async function reconcileOnce(options: ReconcilerOptions, turn: Turn): Promise<ReconcileResult | 'again'> {
  const { caches, settings, notebook, now = Date.now } = options;
  const { key, sandbox } = turn;
  const notes = notebook.of(key, sandbox.metadata.uid ?? '');
  const time = now();
  const state = gather(sandbox, { caches, settings, notes, now: time });
  const next = plan(state, time);
  if (sandbox.status?.phase === 'Running') options.probe.end(key);
  const context = contextOf(options, turn);
  try {
    if (await perform(next, context)) return 'again';
  } catch (error) {
    await explain(state, error, context).catch(() => undefined);
    throw error;
  }
  return next.requeueAfterMs === undefined ? undefined : { requeueAfterMs: next.requeueAfterMs };
}

function contextOf(options: ReconcilerOptions, { key, sandbox, signal }: Turn): PerformContext {
  const { client, caches, notebook, announce, probe, jobs, settings, now = Date.now } = options;
  const owner = identityOf(sandbox);
  return {
    client,
    caches,
    owner,
    sandbox,
    now,
    signal,
    announce,
    notes: notebook.of(key, owner.uid),
    generation: sandbox.metadata.generation ?? 0,
    probe: (podUid, podIp) => probe.start(key, podUid, podIp),
    runJob: (job, pod) => {
      const address = runtimeOf(pod, owner.uid, settings.tokenKey);
      if (address !== undefined) jobs.start(key, job, address);
    },
  };
}

/** A new sandbox must not stay without a word only because the API server is busy: it is Creating, and says why. */
async function explain(state: SandboxState, error: unknown, context: PerformContext): Promise<void> {
  if (state.sandbox.status?.phase !== undefined || context.signal.aborted) return;
  const text = error instanceof Error ? error.message : String(error);
  const message = `the API server did not take a write, it is being repeated: ${text}`;
  const finding = no('ApiUnavailable', message);
  const outcome = { phase: 'Creating', reason: 'ApiUnavailable', message, pod: finding } as const;
  await perform({ stages: [statusStage(state, outcome, context.now())] }, context);
}

/**
 * Adds a key for every change that may matter to it, until the returned function is called. Everything known already is
 * added at once, so a new leader looks at every sandbox.
 */
export function feedQueue(caches: Caches, queue: WorkQueue, onRemoval: (key: string) => void): () => void {
  const stops = [
    caches.sandboxes.subscribe(({ object }) => queue.add(keyOf(object))),
    ...[caches.pods, caches.pvcs, caches.networkPolicies, caches.secrets, caches.serviceAccounts].map(
      (store) =>
        (store as Store<KubeObject>).subscribe(({ type, object }) => {
          const name = object.metadata.labels?.[LABEL_SANDBOX];
          if (name === undefined) return;
          const key = `${object.metadata.namespace}/${name}`;
          if (type === 'deleted') onRemoval(key);
          queue.add(key);
        }),
    ),
    caches.templates.subscribe((event) => addUsers('SandboxTemplate', event)),
    caches.clusterTemplates.subscribe((event) => addUsers('ClusterSandboxTemplate', event)),
    caches.policies.subscribe((event) => addGoverned(event)),
    caches.clusterPolicies.subscribe((event) => addGoverned(event)),
  ];
  const addUsers = (kind: string, event: StoreEvent<KubeObject>): void => {
    // The status of a template counts its users: each of them would otherwise wake up all the others.
    if (!specMoved(event)) return;
    const { metadata } = event.object;
    const users = caches.sandboxes.byIndex(
      BY_TEMPLATE,
      templateKey(kind, metadata.namespace, metadata.name ?? ''),
    );
    for (const sandbox of users) queue.add(keyOf(sandbox));
  };
  const addGoverned = (event: StoreEvent<KubeObject>): void => {
    if (!specMoved(event)) return;
    const { namespace } = event.object.metadata;
    for (const sandbox of caches.sandboxes.list()) {
      if (namespace === undefined || sandbox.metadata.namespace === namespace) queue.add(keyOf(sandbox));
    }
  };
  for (const sandbox of caches.sandboxes.list()) queue.add(keyOf(sandbox));
  return () => {
    for (const stop of stops) stop();
  };
}
