// SPDX-License-Identifier: Apache-2.0
import type { KubeClient } from '@agenttier/machinery/kube/client';
import { type KubeObject, PERSISTENT_VOLUME_CLAIMS, type Resource } from '@agenttier/machinery/kube/resource';
import { Reflector } from '@agenttier/machinery/reflector/reflector';
import { Store } from '@agenttier/machinery/reflector/store';
import { silentLogger } from '@agenttier/machinery/telemetry/log';
import { STORAGE_CLASS } from './cluster.ts';

const PERSISTENT_VOLUMES: Resource = {
  group: '',
  version: 'v1',
  plural: 'persistentvolumes',
  kind: 'PersistentVolume',
  namespaced: false,
};

type Claim = KubeObject & {
  readonly spec: {
    readonly volumeName?: string;
    readonly resources: { readonly requests: { storage: string } };
  };
};

const DONE = { 'pv.kubernetes.io/bind-completed': 'yes', 'pv.kubernetes.io/bound-by-controller': 'yes' };

/** Plays provisioner and volume controller until the signal aborts: each claim gets a volume that only exists in the API. */
export async function bindVolumes(client: KubeClient, signal: AbortSignal): Promise<void> {
  const store = new Store<Claim>();
  const busy = new Set<string>();
  store.subscribe(({ type, object }) => {
    const { uid = '' } = object.metadata;
    if (type === 'deleted' || object.spec.volumeName || busy.has(uid)) return;
    busy.add(uid);
    // A failure shows as a sandbox that does not get ready, which the bench gives up on.
    bind(client, object).catch((error: unknown) => {
      if (!signal.aborted) process.stderr.write(`no volume for ${object.metadata.name}: ${String(error)}\n`);
    });
  });
  const resource = PERSISTENT_VOLUME_CLAIMS;
  await new Reflector({ client, resource, store, log: silentLogger }).run(signal);
}

async function bind(client: KubeClient, claim: Claim): Promise<void> {
  const { namespace = '', name = '', uid = '' } = claim.metadata;
  const capacity = { storage: claim.spec.resources.requests.storage };
  const accessModes = ['ReadWriteOnce'];
  const volume = `pv-${uid}`;
  await client.create(PERSISTENT_VOLUMES, undefined, {
    metadata: { name: volume },
    spec: {
      capacity,
      accessModes,
      storageClassName: STORAGE_CLASS,
      claimRef: { kind: 'PersistentVolumeClaim', apiVersion: 'v1', namespace, name, uid },
      csi: { driver: 'bench.agenttier.dev', volumeHandle: uid },
    },
  } as KubeObject);
  const key = { namespace, name };
  const bound = { metadata: { annotations: DONE }, spec: { volumeName: volume } };
  await client.patch(PERSISTENT_VOLUME_CLAIMS, key, { type: 'merge', body: bound });
  const body = { status: { phase: 'Bound', capacity, accessModes } };
  await client.patch(PERSISTENT_VOLUME_CLAIMS, key, { type: 'merge', body }, { subresource: 'status' });
}
