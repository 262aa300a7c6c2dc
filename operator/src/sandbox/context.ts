// SPDX-License-Identifier: Apache-2.0
import type { Sandbox } from '@agenttier/crds/generated/types';
import type { KubeClient } from '@agenttier/machinery/kube/client';
import { isNotFound } from '@agenttier/machinery/kube/errors';
import type { AgentTask } from '../agent/news.ts';
import type { Job } from '../runtime/jobs.ts';
import type { Caches } from '../caches.ts';
import type { Pod } from '../core.ts';
import type { EventNote, Tally } from '../decision/actions.ts';
import type { AskRuntime } from '../runtime/client.ts';
import type { Slots } from '../warmpool/slots.ts';
import type { Notes } from './notes.ts';
import type { Identity } from './ownership.ts';

/** What carrying out an action needs. */
export interface PerformContext {
  readonly client: Pick<KubeClient, 'get' | 'list' | 'create' | 'apply' | 'patch' | 'delete'>;
  readonly caches: Caches;
  readonly notes: Notes;
  readonly owner: Identity;
  readonly generation: number;
  /** The object that the plan was made from: writes to it carry its version. */
  readonly sandbox: Sandbox;
  readonly now: () => number;
  readonly signal: AbortSignal;
  readonly warm?: WarmStarts | undefined;
  readonly probe: (podUid: string, podIp: string) => void;
  readonly tellAgent: (task: AgentTask) => void;
  /** Starts a call to the runtime in the pod, and does not wait for it. */
  readonly runJob: (job: Job, pod: Pod, sandboxUid?: string) => void;
  readonly announce: (sandbox: Sandbox, events: readonly EventNote[], tallies: readonly Tally[]) => void;
}

/** Where a start finds a prepared pod, and how it is handed over. */
export interface WarmStarts {
  readonly slots: Slots;
  readonly ask: AskRuntime;
  readonly tokenKey: Uint8Array;
}

/** `halt`: something changed, or was refused, on which the plan's later stages were built; only a new plan goes on. */
export type Effect = 'unchanged' | 'changed' | 'halt';

/** For `catch`: not found is an answer. */
export function absent(error: unknown): undefined {
  if (!isNotFound(error)) throw error;
  return undefined;
}
