// SPDX-License-Identifier: Apache-2.0
import type { Sandbox } from '@agenttier/crds/generated/types';
import {
  COMPONENT_SANDBOX,
  LABEL_COMPONENT,
  LABEL_SLOT_STATE,
  SLOT_STATES,
} from '@agenttier/crds/meta/labels';
import type { KubeObject } from '@agenttier/machinery/kube/resource';
import { amountOf, NOTHING, plus } from '../../cluster/loads.ts';
import type { Amount, HeadroomDeployment, NodeRoom, PodLoad } from '../../cluster/loads.ts';
import { COMPONENT_HEADROOM } from '../../cluster/overview.ts';
import { phaseOf } from '../sandboxes/view.ts';

/** Name that the chart gives the Deployment of placeholders. */
export const HEADROOM = 'agenttier-headroom';

interface Listed {
  readonly nodes: readonly NodeRoom[];
  readonly pods: readonly PodLoad[];
}

export interface ClusterStatus {
  readonly nodes: number;
  readonly nodesReady: number;
  readonly pods: number;
  readonly sandboxPods: number;
  readonly headroomReady: number;
  readonly autoscalerEnabled: boolean;
  readonly sandboxes: number;
  readonly sandboxesRunning: number;
  readonly warmPods: number;
}

/** The cluster at a glance. Of pods only those count that run; one that waits in a warm pool is nobody's sandbox yet. */
export function clusterStatus({ nodes, pods }: Listed, sandboxes: readonly Sandbox[]): ClusterStatus {
  const running = pods.filter(({ status }) => status?.phase === 'Running');
  const ours = running.filter((pod) => labelOf(pod, LABEL_COMPONENT) === COMPONENT_SANDBOX);
  const waiting = ours.filter((pod) => labelOf(pod, LABEL_SLOT_STATE) === SLOT_STATES.open);
  return {
    nodes: nodes.length,
    nodesReady: nodes.filter(isReady).length,
    pods: running.length,
    sandboxPods: ours.length - waiting.length,
    headroomReady: running.filter((pod) => labelOf(pod, LABEL_COMPONENT) === COMPONENT_HEADROOM).length,
    autoscalerEnabled: running.some(isAutoscaler),
    sandboxes: sandboxes.length,
    sandboxesRunning: sandboxes.filter((one) => phaseOf(one) === 'Running').length,
    warmPods: waiting.length,
  };
}

const labelOf = ({ metadata }: KubeObject, label: string): string | undefined => metadata.labels?.[label];

const isReady = ({ status }: NodeRoom): boolean =>
  (status?.conditions ?? []).some((one) => one.type === 'Ready' && one.status === 'True');

const AUTOSCALERS: ReadonlySet<string | undefined> = new Set(['cluster-autoscaler', 'karpenter']);
const APP_LABELS = [LABEL_COMPONENT, 'app.kubernetes.io/name', 'k8s-app', 'app'];

const isAutoscaler = (pod: PodLoad): boolean =>
  APP_LABELS.some((label) => AUTOSCALERS.has(labelOf(pod, label)));

export interface NodeView {
  readonly name: string;
  readonly ready: boolean;
  readonly instanceType?: string;
  readonly nodeGroup?: string;
  readonly allocatable: Amount;
  readonly requests: Amount;
}

const INSTANCE_TYPE = 'node.kubernetes.io/instance-type';
/** What the larger clouds and Karpenter call a group of like nodes. */
const GROUPS = [
  'eks.amazonaws.com/nodegroup',
  'cloud.google.com/gke-nodepool',
  'kubernetes.azure.com/agentpool',
  'karpenter.sh/nodepool',
  'node.kubernetes.io/nodepool',
];

/** Each node with what its pods have asked for, and all of them together. */
export function nodeFigures({ nodes, pods }: Listed): { nodes: NodeView[]; summary: object } {
  const asked = requestsByNode(pods);
  const views = nodes
    .map((node) => nodeView(node, asked.get(node.metadata.name ?? '') ?? NOTHING))
    .sort((a, b) => (a.name < b.name ? -1 : 1));
  const allocatable = views.map((view) => view.allocatable).reduce(plus, NOTHING);
  const requests = views.map((view) => view.requests).reduce(plus, NOTHING);
  const summary = {
    ready: views.filter(({ ready }) => ready).length,
    total: views.length,
    cpuSaturationPct: percent(requests.cpuMillis, allocatable.cpuMillis),
    memSaturationPct: percent(requests.memBytes, allocatable.memBytes),
    allocatable,
    requests,
  };
  return { nodes: views, summary };
}

/** Pods that have ended hold nothing any more. */
function requestsByNode(pods: readonly PodLoad[]): Map<string, Amount> {
  const asked = new Map<string, Amount>();
  for (const { status, load } of pods) {
    const ended = status?.phase === 'Succeeded' || status?.phase === 'Failed';
    if (ended || load?.node === undefined) continue;
    asked.set(load.node, plus(asked.get(load.node) ?? NOTHING, load));
  }
  return asked;
}

function nodeView(node: NodeRoom, { cpuMillis, memBytes }: Amount): NodeView {
  const instanceType = labelOf(node, INSTANCE_TYPE);
  const nodeGroup = GROUPS.map((label) => labelOf(node, label)).find(Boolean);
  return {
    name: node.metadata.name ?? '',
    ready: isReady(node),
    ...(instanceType ? { instanceType } : {}),
    ...(nodeGroup ? { nodeGroup } : {}),
    allocatable: amountOf(node.status?.allocatable),
    requests: { cpuMillis, memBytes },
  };
}

const percent = (part: number, whole: number): number =>
  whole === 0 ? 0 : Math.round((part / whole) * 1000) / 10;

export interface HeadroomView {
  readonly replicas: number;
  readonly cpu: string;
  readonly memory: string;
  readonly readyReplicas: number;
  readonly enabled: boolean;
}

/** The placeholders; not enabled where the chart has not made any. */
export function headroomView(deployment: HeadroomDeployment | undefined): HeadroomView {
  if (deployment === undefined) return { replicas: 0, cpu: '', memory: '', readyReplicas: 0, enabled: false };
  const { spec, status } = deployment;
  return {
    replicas: spec?.replicas ?? 1,
    ...sizeOf(spec),
    readyReplicas: status?.readyReplicas ?? 0,
    enabled: true,
  };
}

function sizeOf(spec: HeadroomDeployment['spec']): Pick<HeadroomView, 'cpu' | 'memory'> {
  const [placeholder] = spec?.template?.spec?.containers ?? [];
  const { cpu = '', memory = '' } = placeholder?.resources?.requests ?? {};
  return { cpu: String(cpu), memory: String(memory) };
}
