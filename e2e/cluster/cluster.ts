// SPDX-License-Identifier: Apache-2.0
import type { Gvisor } from './node/gvisor.ts';
import { tryRun } from './host/command.ts';
import type { Progress } from './host/progress.ts';
import type { BuildPlace } from './install/binaries.ts';
import type { BuiltImage } from './install/images.ts';
import type { Kubectl } from './install/kubectl.ts';

/** A running cluster as the steps after it need it; where it came from no longer matters to them. */
export interface Cluster {
  readonly kubectl: Kubectl;
  /** File that the person's tools use. */
  readonly kubeconfig: string;
  /** Where the router answers once it is installed. */
  readonly apiUrl: string;
  /** Chart values that this kind of cluster asks for. */
  readonly values: Readonly<Record<string, string | number>>;
  /** Makes images usable by pods; returns the names of those whose content is another than before. */
  load(images: readonly BuiltImage[]): Promise<string[]>;
}

/** What every kind of cluster is started with. */
export interface Start {
  readonly place: BuildPlace;
  readonly progress: Progress;
  /** Version that images are tagged with. */
  readonly version: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Being prepared while programs are built; the bare node waits for it. */
  readonly gvisor?: Promise<Gvisor>;
}

export type ClusterKind = 'bare' | 'kind' | 'existing';

/** The kind of cluster: as CLUSTER says, else kind where a Docker engine answers, else the bare node. */
export function clusterKind(wanted: string | undefined, dockerAnswers: boolean): ClusterKind {
  if (wanted === 'bare' || wanted === 'kind' || wanted === 'existing') return wanted;
  if (wanted !== undefined && wanted !== '') throw new Error(`CLUSTER=${wanted}: use bare, kind or existing`);
  return dockerAnswers ? 'kind' : 'bare';
}

export async function chooseCluster(wanted: string | undefined): Promise<ClusterKind> {
  const asked = wanted !== undefined && wanted !== '';
  const docker = asked || (await tryRun('docker', ['info'], { timeoutMs: 10_000 })).code === 0;
  return clusterKind(wanted, docker);
}
