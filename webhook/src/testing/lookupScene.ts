// SPDX-License-Identifier: Apache-2.0
import type {
  ClusterGovernancePolicy,
  ClusterSandboxTemplate,
  GovernancePolicy,
  PolicySpec,
  Sandbox,
  SandboxTemplate,
  TemplateSpec,
} from '@agenttier/crds/generated/types';
import type { KubeClient } from '@agenttier/machinery/kube/client';
import { KubeError } from '@agenttier/machinery/kube/errors';
import type { KubeObject, ObjectKey, Resource } from '@agenttier/machinery/kube/resource';
import { Store } from '@agenttier/machinery/reflector/store';
import { Lookup } from '../lookup.ts';
import { TemplateUses } from '../template/uses.ts';

/** A SandboxTemplate, by default of namespace team-a. */
export const local = (name: string, spec: TemplateSpec = {}, namespace = 'team-a'): SandboxTemplate => ({
  kind: 'SandboxTemplate',
  metadata: { name, namespace, uid: `${namespace}-${name}`, generation: 1 },
  spec,
});
/** A ClusterSandboxTemplate. */
export const cluster = (name: string, spec: TemplateSpec = {}): ClusterSandboxTemplate => ({
  kind: 'ClusterSandboxTemplate',
  metadata: { name, uid: name, generation: 1 },
  spec,
});

export const clusterPolicy = (spec: PolicySpec): ClusterGovernancePolicy => ({
  kind: 'ClusterGovernancePolicy',
  metadata: { name: 'default', resourceVersion: '7' },
  spec,
});
export const localPolicy = (spec: PolicySpec): GovernancePolicy => ({
  kind: 'GovernancePolicy',
  metadata: { name: 'default', namespace: 'team-a', resourceVersion: '9' },
  spec,
});

export interface LookupScene {
  readonly stored?: readonly (SandboxTemplate | ClusterSandboxTemplate)[];
  readonly live?: readonly KubeObject[];
  readonly error?: KubeError;
  readonly policies?: readonly (GovernancePolicy | ClusterGovernancePolicy)[];
  readonly current?: boolean;
  /** All sandboxes; without them it is not known who uses a template. */
  readonly sandboxes?: readonly Sandbox[];
}

export interface LookupUnderTest {
  readonly lookup: Lookup;
  /** `Kind/namespace/name` of each object the API server was asked for. */
  readonly asked: readonly string[];
  readonly advance: (ms: number) => void;
}

/** A Lookup over stores that hold `stored` and `policies`, before an API server that knows `live`. */
export function lookupScene(scene: LookupScene): LookupUnderTest {
  const stores = {
    templates: new Store<SandboxTemplate>(),
    clusterTemplates: new Store<ClusterSandboxTemplate>(),
    policies: new Store<GovernancePolicy>(),
    clusterPolicies: new Store<ClusterGovernancePolicy>(),
    uses: new TemplateUses(),
  };
  stores.uses.synced = () => scene.sandboxes !== undefined;
  for (const sandbox of scene.sandboxes ?? []) stores.uses.store.applyWatch(stores.uses.slim(sandbox));
  for (const object of scene.stored ?? []) {
    (object.metadata.namespace ? stores.templates : stores.clusterTemplates).applyWatch(object);
  }
  for (const object of scene.policies ?? []) {
    (object.metadata.namespace ? stores.policies : stores.clusterPolicies).applyWatch(object);
  }
  const asked: string[] = [];
  const get = async (resource: Resource, key: ObjectKey): Promise<KubeObject> => {
    asked.push([resource.kind, key.namespace, key.name].filter(Boolean).join('/'));
    if (scene.error) throw scene.error;
    const found = scene.live?.find(
      (o) =>
        o.kind === resource.kind && o.metadata.name === key.name && o.metadata.namespace === key.namespace,
    );
    if (!found) throw new KubeError({ status: 404, reason: 'NotFound', message: 'gone' });
    return found;
  };
  let now = 0;
  const lookup = new Lookup({
    client: { get } as unknown as KubeClient,
    stores,
    policiesCurrent: () => scene.current ?? true,
    now: () => now,
  });
  const advance = (ms: number): void => {
    now += ms;
  };
  return { lookup, asked, advance };
}
