// SPDX-License-Identifier: Apache-2.0
import { existsSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { type BuildPlace, programPath } from '../install/binaries.ts';
import type { Kubectl } from '../install/kubectl.ts';
import { net, paths } from './layout.ts';
import { kubeconfigFile } from './pki.ts';
import type { ProcessSpec, Processes } from './processes.ts';

const DRIVER = 'csi.agenttier.dev';
const SOCKET = join(paths.kubelet, 'plugins', DRIVER, 'csi.sock');
const REGISTRY = join(paths.kubelet, 'plugins_registry');
const METRICS = '127.0.0.1:19081';

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
    },
  ];
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

function provisioner(place: BuildPlace): ProcessSpec {
  return {
    name: 'csi-provisioner',
    file: programPath(place, 'csi-provisioner'),
    args: [
      `--kubeconfig=${kubeconfigFile('admin')}`,
      `--csi-address=${SOCKET}`,
      '--volume-name-prefix=pvc',
      '--kube-api-qps=50',
      '--kube-api-burst=100',
      `--http-endpoint=${METRICS}`,
    ],
    ready: async () => {
      const answer = await fetch(`http://${METRICS}/metrics`, { signal: AbortSignal.timeout(3_000) });
      await answer.body?.cancel();
      return answer.ok ? true : `metrics answer ${answer.status}`;
    },
  };
}

/** Dynamic volumes: driver and provisioner as processes of the machine, and the default class. */
export async function ensureStorage(
  place: BuildPlace,
  processes: Processes,
  kubectl: Kubectl,
): Promise<string> {
  mkdirSync(REGISTRY, { recursive: true });
  await kubectl.apply(storageObjects());
  const first = await processes.ensure(driver(place));
  const second = await processes.ensure(provisioner(place));
  await kubectl.waitFor(
    ['csinode', net.nodeName],
    '{.spec.drivers[*].name}',
    (names) => names.includes(DRIVER),
    30_000,
  );
  return first === second ? first : `driver ${first}, provisioner ${second}`;
}
