// SPDX-License-Identifier: Apache-2.0
import { ANNOTATION_APPLIED_HASH, FIELD_MANAGER_OPERATOR } from '@agenttier/crds/meta/labels';
import { templateKey } from '@agenttier/crds/template/users';
import { runController } from '@agenttier/machinery/controller/controller';
import { WorkQueue } from '@agenttier/machinery/controller/workqueue';
import type { KubeClient } from '@agenttier/machinery/kube/client';
import { isConflict, isNotFound } from '@agenttier/machinery/kube/errors';
import { DAEMON_SETS, DEPLOYMENTS } from '@agenttier/machinery/kube/resource';
import type { KubeObject, OwnerReference, Resource } from '@agenttier/machinery/kube/resource';
import type { StoreEvent } from '@agenttier/machinery/reflector/store';
import type { Logger } from '@agenttier/machinery/telemetry/log';
import { BY_TEMPLATE } from '../caches.ts';
import type { Caches } from '../caches.ts';
import { specMoved } from '../events.ts';
import { lookupIn } from '../sandbox/gather.ts';
import type { Settings } from '../settings.ts';
import { buildPrepull, PREPULL_NAME } from './daemonSet.ts';
import { imagesToPull } from './images.ts';
import type { TemplateUse } from './images.ts';

export interface PrepullOptions {
  readonly client: Pick<KubeClient, 'get' | 'apply' | 'delete'>;
  readonly caches: Caches;
  readonly settings: Settings;
  readonly log: Logger;
}

const KEY = 'images';
/** Templates come in one apply, a chain after the other: one new set for all of them. */
const SETTLE_MS = 5_000;
/** How often it is looked whether the set is still there. */
const AGAIN_MS = 10 * 60_000;

/** Keeps the images of all templates on the nodes until the signal aborts; switched off, removes what an earlier run left. */
export async function keepImages(options: PrepullOptions, signal: AbortSignal): Promise<void> {
  const { caches, log } = options;
  const queue = new WorkQueue({ minBackoffMs: 1_000, maxBackoffMs: 60_000, jitter: 0.2 });
  const changed = (event: StoreEvent<KubeObject>): void => {
    if (specMoved(event)) queue.addAfter(KEY, SETTLE_MS);
  };
  const stops = [caches.templates.subscribe(changed), caches.clusterTemplates.subscribe(changed)];
  queue.add(KEY);
  try {
    const reconcile = async (): Promise<{ requeueAfterMs: number }> => {
      await reconcilePrepull(options, signal);
      return { requeueAfterMs: AGAIN_MS };
    };
    await runController({ name: 'prepull', queue, reconcile, log, signal });
  } finally {
    for (const stop of stops) stop();
  }
}

/**
 * Brings the DaemonSet to today's images. Server-side apply by force is safe here: the name is ours in our own namespace,
 * and what is decided does not depend on what is there. Nothing is written while it is what it should be.
 */
export async function reconcilePrepull(options: PrepullOptions, signal: AbortSignal): Promise<void> {
  const { client, settings } = options;
  const key = { namespace: settings.installNamespace, name: PREPULL_NAME };
  const live = await read(client, DAEMON_SETS, key, signal);
  const images = settings.prepull.enabled ? wantedImages(options) : [];
  if (images.length === 0) return live && remove(options, live, signal);
  const body = buildPrepull(images, settings, await ownerOf(options, signal));
  if (live !== undefined && hashOf(live) === hashOf(body)) return;
  await client.apply(DAEMON_SETS, body, { fieldManager: FIELD_MANAGER_OPERATOR, force: true, signal });
  options.log.info({ images: images.length }, 'images to be pulled ahead of time');
}

const hashOf = ({ metadata }: KubeObject): string | undefined =>
  metadata.annotations?.[ANNOTATION_APPLIED_HASH];

function wantedImages({ caches, settings }: PrepullOptions): string[] {
  const use =
    (kind: TemplateUse['template']['kind']) =>
    (one: KubeObject & { spec?: object }): TemplateUse => {
      const { namespace, name = '' } = one.metadata;
      const template = { kind, metadata: one.metadata, spec: one.spec ?? {} };
      return {
        template,
        usedBy: caches.sandboxes.byIndex(BY_TEMPLATE, templateKey(kind, namespace, name)).length,
      };
    };
  const templates = [
    ...caches.templates.list().map(use('SandboxTemplate')),
    ...caches.clusterTemplates.list().map(use('ClusterSandboxTemplate')),
  ];
  const { pullSecrets, prepull } = settings;
  return imagesToPull({ templates, lookup: lookupIn(caches), extra: prepull.images, pullSecrets });
}

async function remove(
  { client }: PrepullOptions,
  { metadata }: KubeObject,
  signal: AbortSignal,
): Promise<void> {
  const { namespace, name = '', uid = '' } = metadata;
  await client
    .delete(DAEMON_SETS, { namespace, name }, { preconditions: { uid }, signal })
    .catch((error: unknown) => {
      if (!isNotFound(error) && !isConflict(error)) throw error;
    });
}

/** The operator's own Deployment: what the operator makes goes with it when the chart is uninstalled. */
async function ownerOf(
  { client, settings }: PrepullOptions,
  signal: AbortSignal,
): Promise<OwnerReference | undefined> {
  const key = { namespace: settings.installNamespace, name: 'agenttier-operator' };
  const deployment = await read(client, DEPLOYMENTS, key, signal);
  if (deployment?.metadata.uid === undefined) return undefined;
  return { apiVersion: 'apps/v1', kind: 'Deployment', name: key.name, uid: deployment.metadata.uid };
}

async function read(
  client: Pick<KubeClient, 'get'>,
  resource: Resource,
  key: { readonly namespace: string; readonly name: string },
  signal: AbortSignal,
): Promise<KubeObject | undefined> {
  try {
    return await client.get(resource, key, { signal });
  } catch (error) {
    if (isNotFound(error)) return undefined;
    throw error;
  }
}
