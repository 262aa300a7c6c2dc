// SPDX-License-Identifier: Apache-2.0
import { runController } from '@agenttier/machinery/controller/controller';
import type { ControllerMetrics } from '@agenttier/machinery/controller/controller';
import { WorkQueue } from '@agenttier/machinery/controller/workqueue';
import type { QueueMetrics } from '@agenttier/machinery/controller/workqueue';
import type { EventRecorder } from '@agenttier/machinery/events/recorder';
import type { KubeClient } from '@agenttier/machinery/kube/client';
import type { Logger } from '@agenttier/machinery/telemetry/log';
import { createTracer } from '@agenttier/machinery/telemetry/spans';
import type { Tracer } from '@agenttier/machinery/telemetry/spans';
import { createAgentLinks } from './agent/links.ts';
import { createAnnouncer } from './announce.ts';
import type { Caches } from './caches.ts';
import type { OperatorMetrics } from './metrics.ts';
import { notifySubscribers } from './notify/controller.ts';
import type { Post } from './notify/post.ts';
import { keepQuotas } from './quota/controller.ts';
import type { RuntimeAnswer } from './runtime/client.ts';
import { RuntimeJobs } from './runtime/jobs.ts';
import { OrphanSweep } from './platform/orphanSweep.ts';
import { keepImages } from './prepull/controller.ts';
import { RuntimeProbe } from './runtimeProbe.ts';
import { watchPolicies } from './policy/controller.ts';
import { createReconcile } from './sandbox/controller.ts';
import { feedQueue } from './sandbox/feed.ts';
import { Notebook } from './sandbox/notes.ts';
import { RUNTIME_PORT } from '@agenttier/crds/sandbox/ports';
import type { Settings } from './settings.ts';
import { askRuntime } from './runtime/client.ts';
import { keepPools } from './warmpool/controller.ts';
import { Slots } from './warmpool/slots.ts';
import type { ClaimResult } from './warmpool/slots.ts';
import { watchTemplates } from './template/controller.ts';

export interface OperatorOptions {
  readonly client: KubeClient;
  readonly caches: Caches;
  readonly settings: Settings;
  readonly recorder: EventRecorder;
  readonly log: Logger;
  readonly workers: number;
  readonly directProbe: boolean;
  /** How events reach their receivers. */
  readonly post: Post;
  /** Default: spans go nowhere. */
  readonly tracer?: Tracer | undefined;
  readonly metrics?: OperatorMetrics | undefined;
  readonly queueMetrics?: (QueueMetrics & ControllerMetrics) | undefined;
}

/** Failures of one sandbox are retried after 50 ms at first, a minute at most. */
const BACKOFF = { minBackoffMs: 50, maxBackoffMs: 60_000, jitter: 0.2 };

/** The work of the leader: sandboxes, and the status of templates and policies, until the signal aborts. */
export async function operate(options: OperatorOptions, signal: AbortSignal): Promise<void> {
  const { client, caches, settings, log, workers, queueMetrics } = options;
  const queue = new WorkQueue({ ...BACKOFF, metrics: queueMetrics });
  const notebook = new Notebook();
  const slots = new Slots();
  const probe = probeFor(options, { queue, notebook, signal });
  const onEnd = (key: string, id: string, answer: RuntimeAnswer<unknown>): void => {
    notebook.peek(key)?.jobEnded(id, answer);
    queue.add(key);
  };
  const jobs = new RuntimeJobs({ onEnd, signal });
  const tracer = options.tracer ?? createTracer();
  const announce = createAnnouncer({ ...options, tracer });
  const agents = createAgentLinks({ caches, settings, queue, notebook }, signal);
  const warm = { slots, ask: askRuntime, tokenKey: settings.tokenKey };
  const stopFeeding = feedQueue(caches, queue, notebook.onRemoval);
  try {
    const parts = { client, caches, settings, notebook, log, announce, probe, jobs, agents, warm, tracer };
    const reconcile = createReconcile(parts);
    await Promise.all([
      runController({ name: 'sandbox', queue, workers, reconcile, log, metrics: queueMetrics, signal }),
      ...poolsOf(options, slots, signal),
      keepQuotas({ client, caches, log }, signal),
      watchTemplates({ client, caches, log }, signal),
      watchPolicies({ client, caches, log }, signal),
      keepImages({ client, caches, settings, log }, signal),
      notifySubscribers({ ...options, installNamespace: settings.installNamespace }, signal),
      new OrphanSweep({ client, caches, log }).run(signal),
    ]);
  } finally {
    stopFeeding();
  }
}

/** Slots are handed over by a call to their address: where that is out of reach, there are none. */
function poolsOf(options: OperatorOptions, slots: Slots, signal: AbortSignal): Promise<void>[] {
  const { client, caches, settings, log, metrics, directProbe } = options;
  const onClaim = (pool: string, result: ClaimResult): void => metrics?.claim(pool, result);
  return directProbe ? [keepPools({ client, caches, settings, slots, log, onClaim }, signal)] : [];
}

interface ProbeParts {
  readonly queue: WorkQueue;
  readonly notebook: Notebook;
  readonly signal: AbortSignal;
}

const NO_PROBE = { start: (): void => undefined, end: (): void => undefined };

function probeFor(
  options: OperatorOptions,
  { queue, notebook, signal }: ProbeParts,
): Pick<RuntimeProbe, 'start' | 'end'> {
  if (!options.directProbe) return NO_PROBE;
  const onAnswer = (key: string, podUid: string): void => {
    notebook.peek(key)?.runtimeAnswered(podUid);
    // Somebody waits for this one: it goes before routine work.
    queue.add(key, 'urgent');
  };
  return new RuntimeProbe({ port: RUNTIME_PORT, onAnswer, signal });
}
