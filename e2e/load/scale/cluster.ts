// SPDX-License-Identifier: Apache-2.0
import { readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { CLUSTER_SANDBOX_TEMPLATES } from '@agenttier/crds/meta/resources';
import { createKubeClient, type KubeClient } from '@agenttier/machinery/kube/client';
import { type KubeObject, NAMESPACES, NODES, STORAGE_CLASSES } from '@agenttier/machinery/kube/resource';
import { type ControlPlane, startControlPlane } from '../../envtest/controlPlane.ts';
import { installCrds } from '../../envtest/crds.ts';
import { grant, serviceAccountAccess } from '../../../webhook/src/envtest/registration.ts';
import { auditArgs } from './audit.ts';
import { writeStages } from './stages.ts';

export const INSTALL_NAMESPACE = 'agenttier';
const OPERATOR = 'agenttier-operator';
const OPERATOR_USER = `system:serviceaccount:${INSTALL_NAMESPACE}:${OPERATOR}`;

/** Sandboxes are spread over these, as over teams. */
export const SPACES: readonly string[] = Array.from({ length: 10 }, (_, i) => `team-${i}`);

export interface ScaleCluster {
  readonly plane: ControlPlane;
  readonly client: KubeClient;
  /** For the operator: a ServiceAccount of its own, whose writes are in the audit log. */
  readonly operatorKubeconfig: string;
}

/**
 * A control plane whose nodes and pods only exist in the API: etcd, API server and scheduler are real, kwok says what
 * kubelets would. There is no controller manager: volumes are bound by `bindVolumes`.
 */
export async function startScaleCluster(kwok: string, nodes: number): Promise<ScaleCluster> {
  const plane = await startControlPlane(process.env, (folder) => [
    ...auditArgs(folder, OPERATOR_USER),
    // The clients of the bench are many and honest.
    '--max-requests-inflight=2000',
    '--max-mutating-requests-inflight=1000',
  ]);
  try {
    const client = createKubeClient(plane.access, { connections: 64 });
    await installCrds(client, resolve(import.meta.dirname, '../../../crds'));
    startScheduler(plane);
    const stages = `--config=${writeStages(plane.folder)}`;
    const fake = [`--kubeconfig=${plane.kubeconfig}`, '--manage-all-nodes', '--cidr=10.0.0.0/8', stages];
    plane.launch('kwok', fake, kwok);
    for (const name of [INSTALL_NAMESPACE, ...SPACES])
      await client.create(NAMESPACES, undefined, { metadata: { name } });
    for (let i = 0; i < nodes; i++) await addNode(client, i);
    await client.create(STORAGE_CLASSES, undefined, storageClass());
    await client.create(CLUSTER_SANDBOX_TEMPLATES, undefined, template());
    return { plane, client, operatorKubeconfig: await operatorAccess(plane, client) };
  } catch (error) {
    await plane.stop();
    throw error;
  }
}

function startScheduler(plane: ControlPlane): void {
  const file = join(plane.folder, 'scheduler.json');
  const config = {
    apiVersion: 'kubescheduler.config.k8s.io/v1',
    kind: 'KubeSchedulerConfiguration',
    leaderElection: { leaderElect: false },
    clientConnection: { kubeconfig: plane.kubeconfig, qps: 2_000, burst: 4_000 },
  };
  writeFileSync(file, JSON.stringify(config));
  plane.launch('kube-scheduler', [`--config=${file}`, '--secure-port=0']);
}

const nodeObject = (index: number): KubeObject =>
  ({
    metadata: {
      name: `fake-${index}`,
      labels: { 'kubernetes.io/hostname': `fake-${index}`, 'kubernetes.io/os': 'linux' },
    },
    status: {
      allocatable: { cpu: '1000', memory: '4Ti', pods: '1000', 'ephemeral-storage': '100Ti' },
      capacity: { cpu: '1000', memory: '4Ti', pods: '1000', 'ephemeral-storage': '100Ti' },
      conditions: [{ type: 'Ready', status: 'True', reason: 'Fake' }],
    },
  }) as KubeObject;

/** Admission taints every new node; the controller that would take the taint away from a ready one does not run here. */
async function addNode(client: KubeClient, index: number): Promise<void> {
  const { metadata } = await client.create(NODES, undefined, nodeObject(index));
  const body = { spec: { taints: null } };
  await client.patch(NODES, { name: metadata.name ?? '' }, { type: 'merge', body });
}

export const STORAGE_CLASS = 'scale';

const storageClass = (): KubeObject =>
  ({
    metadata: {
      name: STORAGE_CLASS,
      annotations: { 'storageclass.kubernetes.io/is-default-class': 'true' },
    },
    provisioner: 'bench.agenttier.dev/none',
  }) as KubeObject;

export const TEMPLATE_SPEC = {
  image: { repository: 'ghcr.io/acme/base', tag: '1.0' },
  storage: { size: '5Gi' },
  network: { allowInternet: true },
} as const;

export const template = (): KubeObject & { spec: typeof TEMPLATE_SPEC } => ({
  metadata: { name: 'scale' },
  spec: TEMPLATE_SPEC,
});

async function operatorAccess(plane: ControlPlane, client: KubeClient): Promise<string> {
  const account = { namespace: INSTALL_NAMESPACE, name: OPERATOR };
  const access = await serviceAccountAccess(client, plane.access, account);
  const all = [{ apiGroups: ['*'], resources: ['*'], verbs: ['*'] }];
  await grant(client, OPERATOR, all, { kind: 'ServiceAccount', ...account });
  const config = JSON.parse(readFileSync(plane.kubeconfig, 'utf8')) as { users: object[] };
  const file = join(plane.folder, 'operator.kubeconfig');
  config.users = [{ name: 'admin', user: { token: await access.token?.() } }];
  writeFileSync(file, JSON.stringify(config), { mode: 0o600 });
  return file;
}
