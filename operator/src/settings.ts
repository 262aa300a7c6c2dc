// SPDX-License-Identifier: Apache-2.0

import type { Enforcement } from '@agenttier/crds/egress/enforcement';
import type { ResolveSettings } from '@agenttier/crds/template/merge';

/** What the installation decides for every sandbox; read once at start and handed to the pure parts as a value. */
export interface Settings {
  /** Namespace of the installation: the router's and the operator's pods are there. */
  readonly installNamespace: string;
  readonly runtimeImage: string;
  /**
   * Pull policy of the runtime image. It is ours and tagged by version, so the sandbox's own policy, which is about
   * the user's image, does not apply to it.
   */
  readonly runtimePullPolicy: string;
  /** Mount the runtime image as a volume (Kubernetes 1.33 and newer) instead of copying from an init container. */
  readonly imageVolume: boolean;
  /** Docker-registry Secrets that every sandbox pod refers to, beside its own. */
  readonly pullSecrets: readonly string[];
  readonly placement: Placement;
  readonly prepull: Prepull;
  readonly dns: DnsSettings;
  /** Ranges of the cluster itself, closed under `allowInternet` in addition to the private ranges. */
  readonly clusterCidrs: readonly string[];
  readonly egress: EgressSettings;
  /** Milliseconds a start may take before it counts as failed; 0 switches the limit off. */
  readonly startDeadlineMs: number;
  /** Pods run in a user namespace of their own (Kubernetes 1.33 and newer, with a runtime and file systems that can). */
  readonly userNamespaces: boolean;
  /** What a sandbox gets that says nothing, as admission has it. */
  readonly resolve: ResolveSettings;
  /** Milliseconds of warning before an automatic stop, where a sandbox says nothing; 0 is none. */
  readonly gracePeriodMs: number;
  /** Bytes of an installation's log that are kept, from its end. */
  readonly installLogBytes: number;
  /** Of sandboxes that say nothing themselves. */
  readonly backups?: BackupSettings;
  /** Key of the installation, from which runtime tokens are derived. Settings are never logged: of this the least. */
  readonly tokenKey: Uint8Array;
}

/** What the environment says; the key comes from the cluster. */
export type EnvironmentSettings = Omit<Settings, 'tokenKey'>;

/** On which nodes pods of sandboxes run, and before which other pods. Added to what a runtime class asks for. */
export interface Placement {
  readonly nodeSelector: Readonly<Record<string, string>>;
  /** As in a pod. */
  readonly tolerations: readonly object[];
  /** Empty: none. */
  readonly priorityClass: string;
}

/** Images that nodes have before the first sandbox asks for them. */
export interface Prepull {
  readonly enabled: boolean;
  /** Beside those of templates. */
  readonly images: readonly string[];
}

export interface EgressSettings {
  readonly enforcement: Enforcement;
  /** Private ranges that allowed names may lead to. */
  readonly privateCidrs: readonly string[];
}

export interface DnsSettings {
  readonly namespace: string;
  readonly podLabels: Readonly<Record<string, string>>;
  /** Addresses of node-local caches, as CIDR. */
  readonly nodeLocal: readonly string[];
}

export interface BackupSettings {
  /** Milliseconds between two backups; 0 for none. */
  readonly everyMs: number;
  /** How many are kept. */
  readonly keep: number;
  /** VolumeSnapshotClass of every snapshot; left out: the default of the volume's driver. */
  readonly snapshotClass?: string | undefined;
}
