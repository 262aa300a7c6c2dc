// SPDX-License-Identifier: Apache-2.0
import type { Sandbox } from '@agenttier/crds/generated/types';
import type { ReconcileResult } from '@agenttier/machinery/controller/controller';
import type { Logger } from '@agenttier/machinery/telemetry/log';
import type { AgentLinks } from '../agent/links.ts';
import type { Tracer } from '@agenttier/machinery/telemetry/spans';
import type { Caches } from '../caches.ts';
import { no } from '../decision/finding.ts';
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
import { startSpan } from './trace.ts';

export interface ReconcilerOptions {
  readonly client: PerformContext['client'];
  readonly caches: Caches;
  readonly settings: Settings;
  readonly notebook: Notebook;
  readonly log: Logger;
  readonly announce: PerformContext['announce'];
  readonly probe: { start(key: string, podUid: string, podIp: string): void; end(key: string): void };
  /** Conversations with the runtimes of agents. */
  readonly agents?: Pick<AgentLinks, 'start' | 'end'>;
  readonly warm?: PerformContext['warm'];
  readonly jobs: { start(key: string, job: Job, address: RuntimeAddress): void; forget(key: string): void };
  readonly tracer?: Tracer | undefined;
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
  const { tracer, caches } = options;
  return async (key, signal) => {
    const sandbox = caches.sandboxes.getByKey(key);
    const asked = sandbox && startSpan(sandbox);
    if (tracer === undefined || asked === undefined) return reconcile(options, key, signal);
    return tracer.span('operator.reconcile', asked, () => reconcile(options, key, signal));
  };
}

async function reconcile(
  options: ReconcilerOptions,
  key: string,
  signal: AbortSignal,
): Promise<ReconcileResult> {
  for (let round = 0; round < MAX_ROUNDS; round++) {
    const sandbox = options.caches.sandboxes.getByKey(key);
    if (sandbox === undefined) return forget(options, key);
    const result = await reconcileOnce(options, { key, sandbox, signal });
    if (result !== 'again') return result;
  }
  return { requeueAfterMs: 200 };
}

function forget({ notebook, probe, jobs, agents }: ReconcilerOptions, key: string): void {
  notebook.forget(key);
  jobs.forget(key);
  agents?.end(key);
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
  const state = gather(sandbox, { caches, settings, notes, now: time, slots: options.warm?.slots });
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
  const { client, caches, notebook, announce, probe, jobs, agents, settings, now = Date.now } = options;
  const owner = identityOf(sandbox);
  return {
    client,
    caches,
    owner,
    sandbox,
    now,
    signal,
    announce,
    warm: options.warm,
    notes: notebook.of(key, owner.uid),
    generation: sandbox.metadata.generation ?? 0,
    probe: (podUid, podIp) => probe.start(key, podUid, podIp),
    tellAgent: (task) => agents?.start(key, task),
    runJob: (job, pod, sandboxUid = owner.uid) => {
      const address = runtimeOf(pod, sandboxUid, settings.tokenKey);
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
