// SPDX-License-Identifier: Apache-2.0
import type { SandboxStatus } from '@agenttier/crds/generated/types';
import type { KubeObject } from '@agenttier/machinery/kube/resource';
import type { AgentTask } from '../agent/news.ts';
import type { ConfigMap, EnvVar, Pod, ResourceAmounts } from '../core.ts';
import type { Job } from '../runtime/jobs.ts';
import type { OwnedKind } from '../sandbox/state.ts';

export interface EventNote {
  readonly type: 'Normal' | 'Warning';
  readonly reason: string;
  readonly note: string;
  /** No Event is made of it. */
  readonly audience?: 'subscribers';
}

/** Numbers to count once the transition they belong to is stored. */
export type Tally =
  | {
      readonly metric: 'startup';
      readonly path: string;
      readonly template: string;
      readonly seconds: number;
      /** Seconds of each phase. */
      readonly phases: readonly (readonly [phase: string, seconds: number])[];
    }
  | { readonly metric: 'restart'; readonly reason: string }
  | { readonly metric: 'stop'; readonly reason: string };

/** One write or inquiry. Each says in `perform` what makes it safe to repeat and safe on an outdated cache. */
export type Action =
  | { readonly do: 'create'; readonly kind: OwnedKind; readonly body: KubeObject }
  | { readonly do: 'repair'; readonly kind: Exclude<OwnedKind, 'pod'>; readonly body: KubeObject }
  | {
      readonly do: 'delete';
      readonly kind: 'pod' | 'pvc' | 'snapshot' | 'planSecret' | 'serviceAccount' | 'ciliumPolicy';
      readonly name: string;
      readonly uid: string;
    }
  | {
      readonly do: 'status';
      readonly status: SandboxStatus;
      readonly events: readonly EventNote[];
      readonly tallies: readonly Tally[];
    }
  | { readonly do: 'claimSlot'; readonly key: string; readonly template: string | undefined }
  | { readonly do: 'adoptSlot'; readonly pod: Pod; readonly env: readonly EnvVar[] }
  /** A merge patch of metadata, for the version that it names. */
  | {
      readonly do: 'disown';
      readonly kind: 'pvc' | 'snapshot';
      readonly name: string;
      readonly metadata: Readonly<Record<string, unknown>>;
    }
  /** Events of what no status says. */
  | { readonly do: 'announce'; readonly events: readonly EventNote[] }
  | { readonly do: 'clearAction' }
  | { readonly do: 'releaseFinalizer' }
  | { readonly do: 'probeRuntime'; readonly podUid: string; readonly podIp: string }
  | { readonly do: 'tellAgent'; readonly task: AgentTask }
  | { readonly do: 'installLog'; readonly body: ConfigMap }
  | {
      readonly do: 'resizePod';
      readonly name: string;
      readonly uid: string;
      readonly resources: ResourceAmounts;
    }
  | { readonly do: 'releaseLostPod'; readonly name: string; readonly uid: string; readonly node: string }
  | { readonly do: 'findPullSecret'; readonly name: string }
  | { readonly do: 'findPvc'; readonly name: string }
  | {
      readonly do: 'runJob';
      readonly podName: string;
      readonly podUid: string;
      /** Sandbox that the pod is of, where that is another one. */
      readonly sandboxUid?: string;
      /** One id is run once, however often and by whomever it is asked for. */
      readonly id: string;
      readonly call: Job['call'];
    };

/** Stages run one after the other; the actions of one stage run together. A stage that fails ends the plan. */
export interface Plan {
  readonly stages: readonly (readonly Action[])[];
  /** Milliseconds until the next moment at which something is due by the clock alone. */
  readonly requeueAfterMs?: number;
}

/** A plan without its empty stages. */
export function planOf(stages: readonly (readonly Action[])[], requeueAfterMs?: number): Plan {
  const filled = stages.filter((stage) => stage.length > 0);
  return requeueAfterMs === undefined ? { stages: filled } : { stages: filled, requeueAfterMs };
}

/** The deletion of this very object, and never of a later one of its name. */
export function deletionOf(
  kind: 'pod' | 'pvc' | 'snapshot' | 'serviceAccount' | 'ciliumPolicy',
  { metadata }: KubeObject,
): Action {
  return { do: 'delete', kind, name: metadata.name ?? '', uid: metadata.uid ?? '' };
}
