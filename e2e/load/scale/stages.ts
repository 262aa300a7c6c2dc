// SPDX-License-Identifier: Apache-2.0
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** Containers run from the moment that the pod has a node, as no image is pulled and nothing is started. */
const RUNNING = `{{ $now := Now | Quote }}
phase: Running
startTime: {{ $now }}
podIP: {{ PodIPWith .spec.nodeName false .metadata.uid .metadata.name .metadata.namespace | Quote }}
conditions:
{{ range $type := (list "Initialized" "ContainersReady" "Ready") }}
- { type: {{ $type | Quote }}, status: "True", lastTransitionTime: {{ $now }} }
{{ end }}
containerStatuses:
{{ range .spec.containers }}
- name: {{ .name | Quote }}
  image: {{ .image | Quote }}
  imageID: ""
  ready: true
  started: true
  restartCount: 0
  state: { running: { startedAt: {{ $now }} } }
{{ end }}
`;

const POD = { apiGroup: 'v1', kind: 'Pod' };
const NODE = { apiGroup: 'v1', kind: 'Node' };
const exists = (key: string, operator: 'Exists' | 'DoesNotExist'): object => ({ key, operator });

const stage = (
  resourceRef: object,
  name: string,
  matchExpressions: readonly object[],
  next: object,
): object => ({
  apiVersion: 'kwok.x-k8s.io/v1alpha1',
  kind: 'Stage',
  metadata: { name },
  spec: { resourceRef, selector: { matchExpressions }, next },
});

/** kwok's configuration: what a kubelet would say about a pod. One document a line; JSON is YAML. */
export function writeStages(folder: string): string {
  const deleted = '.metadata.deletionTimestamp';
  const stages = [
    // kwok only looks after pods of nodes that it has something to say about.
    stage(NODE, 'node', [exists('.status.phase', 'DoesNotExist')], { statusTemplate: 'phase: Running' }),
    stage(POD, 'run', [exists(deleted, 'DoesNotExist'), exists('.status.podIP', 'DoesNotExist')], {
      statusTemplate: RUNNING,
    }),
    stage(POD, 'end', [exists(deleted, 'Exists')], { finalizers: { empty: true }, delete: true }),
  ];
  const file = join(folder, 'kwok.yaml');
  writeFileSync(file, stages.map((one) => JSON.stringify(one)).join('\n---\n'));
  return file;
}
