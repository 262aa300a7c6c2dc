// SPDX-License-Identifier: Apache-2.0
import type { Sandbox, SandboxSpec, TemplateSpec } from '@agenttier/crds/generated/types';
import { ANNOTATION_ADMITTED_AT, FINALIZER } from '@agenttier/crds/meta/labels';
import type { TemplateObject } from '@agenttier/crds/template/compose';
import { DEFAULT_SETTINGS, resolve } from '@agenttier/crds/template/merge';
import type { Settings } from '../settings.ts';

/** A point in time that tests count from. */
export const T0 = Date.parse('2026-11-24T08:00:00.000Z');
export const SECOND = 1_000;
export const MINUTE = 60_000;

export const SETTINGS: Settings = {
  installNamespace: 'agenttier',
  runtimeImage: 'example.test/agenttier/runtime:1',
  runtimePullPolicy: 'IfNotPresent',
  imageVolume: false,
  pullSecrets: [],
  prepull: { enabled: false, images: [] },
  placement: { nodeSelector: {}, tolerations: [], priorityClass: '' },
  dns: {
    namespace: 'kube-system',
    podLabels: { 'k8s-app': 'kube-dns' },
    nodeLocal: ['169.254.20.10/32'],
  },
  clusterCidrs: [],
  egress: { enforcement: 'auto', privateCidrs: [] },
  startDeadlineMs: 10 * MINUTE,
  userNamespaces: false,
  resolve: DEFAULT_SETTINGS,
  gracePeriodMs: 5 * MINUTE,
  installLogBytes: 8_192,
  tokenKey: Buffer.alloc(32, 7),
};

export const TEMPLATE: TemplateObject = template({
  image: { repository: 'example.test/tools', tag: '1' },
  harness: { shell: '/bin/bash' },
});

export function template(spec: TemplateSpec, name = 'base'): TemplateObject {
  return {
    kind: 'ClusterSandboxTemplate',
    metadata: { name, uid: `uid-${name}`, generation: 1, resourceVersion: '1' },
    spec,
  };
}

export interface SandboxOptions {
  readonly name?: string;
  readonly uid?: string;
  readonly spec?: SandboxSpec;
  readonly annotations?: Readonly<Record<string, string>>;
  readonly chain?: readonly TemplateObject[];
}

/** A Sandbox as admission hands it to the store of the API server. */
export function sandbox(options: SandboxOptions = {}): Sandbox {
  const { name = 'one', uid = 'uid-one', spec = {}, annotations = {}, chain = [TEMPLATE] } = options;
  const templateRef = {
    kind: 'ClusterSandboxTemplate',
    name: chain.at(-1)?.metadata.name ?? 'none',
  } as const;
  const asked: SandboxSpec = { desiredState: 'Running', templateRef, ...spec };
  return {
    apiVersion: 'agenttier.io/v1alpha1',
    kind: 'Sandbox',
    metadata: {
      name,
      namespace: 'team',
      uid,
      resourceVersion: '1',
      generation: 1,
      creationTimestamp: new Date(T0).toISOString(),
      finalizers: [FINALIZER],
      annotations: { [ANNOTATION_ADMITTED_AT]: String(T0), ...annotations },
    },
    spec: { ...asked, resolved: resolve(asked, chain, DEFAULT_SETTINGS).resolved },
  };
}
