// SPDX-License-Identifier: Apache-2.0
import { existsSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { type BuildPlace, programPath } from '../install/binaries.ts';
import type { Kubectl } from '../install/kubectl.ts';
import { SNAPSHOT_KINDS, ensureSnapshotKinds } from '../install/snapshotKinds.ts';
import { net, paths } from './layout.ts';
import { kubeconfigFile } from './pki.ts';
import type { ProcessSpec, Processes } from './processes.ts';

const DRIVER = 'csi.agenttier.dev';
const SOCKET = join(paths.kubelet, 'plugins', DRIVER, 'csi.sock');
const REGISTRY = join(paths.kubelet, 'plugins_registry');

/** What storage is made of, in the order of the start. */
export const STORAGE_PROGRAMS = [
  'csi-driver',
  'csi-provisioner',
  'csi-resizer',
  'csi-snapshotter',
  'snapshot-controller',
] as const;

type Sidecar = Exclude<(typeof STORAGE_PROGRAMS)[number], 'csi-driver'>;

const METRICS_PORT: Readonly<Record<Sidecar, number>> = {
  'csi-provisioner': 19_081,
  'csi-resizer': 19_082,
  'csi-snapshotter': 19_083,
  'snapshot-controller': 19_084,
};

/** The default class: a volume is made at once, as a claim of a sandbox may come before its pod. */
export function storageObjects(): object[] {
  return [
    {
      apiVersion: 'storage.k8s.io/v1',
      kind: 'CSIDriver',
      metadata: { name: DRIVER },
      spec: { attachRequired: false, fsGroupPolicy: 'File', podInfoOnMount: false },
    },
    {
      apiVersion: 'storage.k8s.io/v1',
      kind: 'StorageClass',
      metadata: { name: 'standard', annotations: { 'storageclass.kubernetes.io/is-default-class': 'true' } },
      provisioner: DRIVER,
      reclaimPolicy: 'Delete',
      volumeBindingMode: 'Immediate',
      allowVolumeExpansion: true,
    },
  ];
}

/** The class that a snapshot gets which names none. */
function snapshotClass(): object {
  return {
    apiVersion: 'snapshot.storage.k8s.io/v1',
    kind: 'VolumeSnapshotClass',
    metadata: {
      name: 'standard',
      annotations: { 'snapshot.storage.kubernetes.io/is-default-class': 'true' },
    },
    driver: DRIVER,
    deletionPolicy: 'Delete',
  };
}

function driver(place: BuildPlace): ProcessSpec {
  return {
    name: 'csi-driver',
    file: programPath(place, 'csi-driver'),
    args: [
      '--state-dir',
      paths.volumes,
      '--endpoint',
      SOCKET,
      '--registration-dir',
      REGISTRY,
      '--node-name',
      net.nodeName,
    ],
    ready: async () => (existsSync(SOCKET) ? true : `${SOCKET} is missing`),
  };
}

const OWN_ARGS: Readonly<Record<Sidecar, readonly string[]>> = {
  'csi-provisioner': ['--volume-name-prefix=pvc', `--csi-address=${SOCKET}`],
  'csi-resizer': [`--csi-address=${SOCKET}`],
  'csi-snapshotter': [`--csi-address=${SOCKET}`],
  'snapshot-controller': [],
};

/** One of upstream's controllers between Kubernetes and the driver. */
function sidecar(place: BuildPlace, name: Sidecar): ProcessSpec {
  const metrics = `127.0.0.1:${METRICS_PORT[name]}`;
  return {
    name,
    file: programPath(place, name),
    args: [
      `--kubeconfig=${kubeconfigFile('admin')}`,
      ...OWN_ARGS[name],
      '--kube-api-qps=50',
      '--kube-api-burst=100',
      `--http-endpoint=${metrics}`,
    ],
    ready: async () => {
      const answer = await fetch(`http://${metrics}/metrics`, { signal: AbortSignal.timeout(3_000) });
      await answer.body?.cancel();
      return answer.ok ? true : `metrics answer ${answer.status}`;
    },
  };
}

/** The kinds come before the controllers, which end when there are none; a class can be made once its kind is served. */
async function ensureSnapshots(place: BuildPlace, kubectl: Kubectl): Promise<void> {
  const folder = await ensureSnapshotKinds(place);
  const files = SNAPSHOT_KINDS.flatMap((plural) => [
    '-f',
    join(folder, `snapshot.storage.k8s.io_${plural}.yaml`),
  ]);
  await kubectl.run('apply', '--server-side', '--force-conflicts', '--field-manager=agenttier-up', ...files);
  await kubectl.run('wait', '--for=condition=Established', '--timeout=30s', ...files);
  await kubectl.apply([snapshotClass()]);
}

/** Dynamic volumes, their growth and their snapshots: driver and controllers as processes of the machine, and the classes. */
export async function ensureStorage(
  place: BuildPlace,
  processes: Processes,
  kubectl: Kubectl,
): Promise<string> {
  mkdirSync(REGISTRY, { recursive: true });
  await kubectl.apply(storageObjects());
  await ensureSnapshots(place, kubectl);
  const done = [`csi-driver ${await processes.ensure(driver(place))}`];
  const sidecars = STORAGE_PROGRAMS.filter((name) => name !== 'csi-driver');
  await Promise.all(
    sidecars.map(async (name) => done.push(`${name} ${await processes.ensure(sidecar(place, name))}`)),
  );
  await kubectl.waitFor(
    ['csinode', net.nodeName],
    '{.spec.drivers[*].name}',
    (names) => names.includes(DRIVER),
    30_000,
  );
  const changed = done.filter((text) => !text.endsWith(' kept'));
  return changed.length === 0 ? 'kept' : changed.join(', ');
}
