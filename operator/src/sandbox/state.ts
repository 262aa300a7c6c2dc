// SPDX-License-Identifier: Apache-2.0
import type { EffectiveSpec, Sandbox } from '@agenttier/crds/generated/types';
import type { EffectivePolicy } from '@agenttier/crds/governance/effective';
import type {
  CiliumNetworkPolicy,
  NetworkPolicy,
  PersistentVolumeClaim,
  Pod,
  Secret,
  ServiceAccount,
  StorageClass,
  VolumeSnapshot,
} from '../core.ts';
import type { Violation } from '@agenttier/crds/meta/violation';
import type { NetworkFacts } from '../egress/facts.ts';
import type { AgentNews } from '../agent/news.ts';
import type { RuntimeAnswer } from '../runtime/client.ts';
import type { Settings } from '../settings.ts';
import type { Loss } from './failure.ts';
import type { Identity } from './ownership.ts';

/** Kinds of the objects that stand behind a sandbox. */
export type OwnedKind =
  | 'serviceAccount'
  | 'tokenSecret'
  | 'planSecret'
  | 'pvc'
  | 'networkPolicy'
  | 'ciliumPolicy'
  | 'snapshot'
  | 'pod';

/** Whether `spec.resolved` may be acted upon. */
export type Resolution =
  | { readonly ok: true; readonly spec: EffectiveSpec; readonly drift?: string }
  | { readonly ok: false; readonly reason: string; readonly message: string };

/** An answer of the API server that repeating the same write at once would not change. */
export interface Refusal {
  /**
   * - `invalid`: the object is wrong in itself; only another spec helps.
   * - `forbidden`: admission or quota said no; it may say yes later.
   * - `conflict`: an object of that name belongs to somebody else.
   * - `waiting`: an earlier object of that name is on its way out.
   * - `transient`: the API server could not answer.
   */
  readonly cause: 'invalid' | 'forbidden' | 'conflict' | 'waiting' | 'transient';
  readonly message: string;
  /** Milliseconds since the epoch of the first such answer in a row. */
  readonly since: number;
  /** Not repeated before this time, unless the spec changes. */
  readonly retryAt: number;
  /** Generation of the Sandbox that the write was made from. */
  readonly generation: number;
}

/** Milliseconds since the epoch at which this process saw each step of a start. */
export interface Milestones {
  /** The start was first wanted: resume or retry seen, or the sandbox first seen. */
  readonly requested?: number;
  /** A prepared pod was taken. */
  readonly claimed?: number;
  /** The runtime of a prepared pod took the sandbox's request over. */
  readonly adopted?: number;
  readonly podCreated?: number;
  readonly scheduled?: number;
  /** The image of the init container is there. */
  readonly initPulled?: number;
  readonly initialized?: number;
  /** The image of the main container is there, and the container made. */
  readonly pulled?: number;
}

/** What this process remembers and the API does not hold. All of it may be lost: it only makes answers better. */
export interface Observations {
  readonly refusals: ReadonlyMap<OwnedKind, Refusal>;
  /** uid of the pod whose runtime answered the operator's own probe. */
  readonly answeredPod?: string;
  readonly milestones: Milestones;
  /** When this process last wrote the status, in milliseconds since the epoch. */
  readonly statusAt?: number;
  /** Name of a pull secret that was looked for and does not exist. */
  readonly missingPullSecret?: string;
  /** No slot was free when this start looked for one. */
  readonly slotMissed?: boolean;
  /** uid of the slot whose runtime took this sandbox over. */
  readonly adoptedPod?: string;
  /** uid of the slot whose runtime would not, and what it said. */
  readonly unfitPod?: string;
  /** What came of calls to the runtime, by their id. */
  readonly jobs?: ReadonlyMap<string, RuntimeAnswer<unknown>>;
  /** Why CPU and memory of the pod could not be changed in place to what this generation asks for. */
  readonly resizeRefused?: { readonly generation: number; readonly message: string };
  /** A pod that is gone had been marked as disrupted before: by a drain, say. */
  readonly disrupted?: { readonly podName: string; readonly loss: Loss };
  /** The recorded volume was looked for by name and is gone. */
  readonly volumeLost?: boolean;
  /** What was last heard of the runtime about the agent. */
  readonly agent?: AgentNews;
}

export interface CopySource {
  readonly sandbox: Sandbox;
  readonly pvc?: PersistentVolumeClaim | undefined;
  readonly pod?: Pod | undefined;
}

/** Everything a decision needs, gathered without waiting. Objects of other owners are not in it. */
export interface SandboxState {
  readonly sandbox: Sandbox;
  readonly owner: Identity;
  readonly settings: Settings;
  readonly resolution: Resolution;
  readonly observations: Observations;
  readonly network: NetworkFacts;
  /** What today's policy would refuse; the sandbox was admitted under another. */
  readonly violations?: readonly Violation[];
  /** The policy of now; absent while it cannot be read. */
  readonly policy?: EffectivePolicy;
  /** Key of the slots that could take the place of its first pod; absent where no pool keeps such. */
  readonly slotKey?: string | undefined;
  /** Slots that it claimed and does not use: to be deleted. */
  readonly surplus?: readonly Pod[];
  readonly pod?: Pod;
  readonly pvc?: PersistentVolumeClaim;
  readonly networkPolicy?: NetworkPolicy;
  readonly ciliumPolicy?: CiliumNetworkPolicy;
  readonly tokenSecret?: Secret;
  readonly serviceAccount?: ServiceAccount;
  /** What this and earlier starts brought into the sandbox. */
  readonly planSecrets?: readonly Secret[];
  /** By name; absent while nothing is known of them. */
  readonly storageClasses?: ReadonlyMap<string, StorageClass>;
  /** What the volume is to be a copy of, as far as it is there. */
  readonly source?: CopySource;
  /** The snapshot that the volume is to be made from. */
  readonly restore?: VolumeSnapshot;
  /** The sandbox's own; absent where the cluster has no VolumeSnapshots. */
  readonly snapshots?: readonly VolumeSnapshot[];
}

export const isTerminating = (object: { metadata: { deletionTimestamp?: string } } | undefined): boolean =>
  object?.metadata.deletionTimestamp !== undefined;
