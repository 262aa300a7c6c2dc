// SPDX-License-Identifier: Apache-2.0
import type { ClusterSandboxTemplate, Sandbox, SandboxTemplate } from '@agenttier/crds/generated/types';
import { equalJson } from '@agenttier/crds/meta/canonical';
import { FIELD_MANAGER_OPERATOR } from '@agenttier/crds/meta/labels';
import { CLUSTER_SANDBOX_TEMPLATES, SANDBOX_TEMPLATES } from '@agenttier/crds/meta/resources';
import type { TemplateKind } from '@agenttier/crds/template/compose';
import { templateKey, templatesOfSandbox } from '@agenttier/crds/template/users';
import { runController } from '@agenttier/machinery/controller/controller';
import { WorkQueue } from '@agenttier/machinery/controller/workqueue';
import type { KubeClient } from '@agenttier/machinery/kube/client';
import { isNotFound } from '@agenttier/machinery/kube/errors';
import type { KubeObject } from '@agenttier/machinery/kube/resource';
import type { StoreEvent } from '@agenttier/machinery/reflector/store';
import type { Logger } from '@agenttier/machinery/telemetry/log';
import { BY_PARENT, BY_TEMPLATE } from '../caches.ts';
import type { Caches } from '../caches.ts';
import { specMoved } from '../events.ts';
import { lookupIn } from '../sandbox/gather.ts';
import { statusPatch } from '../sandbox/statusPatch.ts';
import { templateStatus } from './status.ts';

export interface TemplateControllerOptions {
  readonly client: Pick<KubeClient, 'patch'>;
  readonly caches: Caches;
  readonly log: Logger;
  readonly now?: () => number;
}

/** The count of users is written once for all sandboxes that come and go within this time. */
const USERS_MS = 1_000;

type Template = SandboxTemplate | ClusterSandboxTemplate;

/** Keeps the status of all templates until the signal aborts. */
export async function watchTemplates(options: TemplateControllerOptions, signal: AbortSignal): Promise<void> {
  const { caches, log } = options;
  const queue = new WorkQueue({ minBackoffMs: 100, maxBackoffMs: 60_000, jitter: 0.2 });
  const stop = feed(caches, queue);
  try {
    const reconcile = (key: string): Promise<void> => reconcileTemplate(options, key);
    await runController({ name: 'template', queue, reconcile, log, signal });
  } finally {
    stop();
  }
}

/** Writes the status of one template, named by its `templateKey`, when it is not what it should be. */
export async function reconcileTemplate(options: TemplateControllerOptions, key: string): Promise<void> {
  const { client, caches, now = Date.now } = options;
  const [kind, namespace, name] = key.split('/') as [TemplateKind, string, string];
  const local = kind === 'SandboxTemplate';
  const template: Template | undefined = local
    ? caches.templates.get(namespace, name)
    : caches.clusterTemplates.get(undefined, name);
  if (template === undefined || template.metadata.deletionTimestamp !== undefined) return;
  const before = template.status ?? {};
  const usedBy = caches.sandboxes.byIndex(BY_TEMPLATE, key).length;
  const status = templateStatus({ ...template, kind }, { lookup: lookupIn(caches), usedBy, now: now() });
  if (equalJson(before, status)) return;
  const body = { status: statusPatch(before, status) };
  const writing = { subresource: 'status', fieldManager: FIELD_MANAGER_OPERATOR } as const;
  const where = local ? { namespace, name } : { name };
  const resource = local ? SANDBOX_TEMPLATES : CLUSTER_SANDBOX_TEMPLATES;
  await client.patch(resource, where, { type: 'merge', body }, writing).catch((error: unknown) => {
    if (!isNotFound(error)) throw error;
  });
}

function feed(caches: Caches, queue: WorkQueue): () => void {
  const add = (kind: TemplateKind, event: StoreEvent<KubeObject>): void => {
    if (!specMoved(event)) return;
    const { namespace, name = '' } = event.object.metadata;
    for (const key of familyOf(caches, templateKey(kind, namespace, name))) queue.add(key);
  };
  const count = ({ type, object, old }: StoreEvent<Sandbox>): void => {
    const after = type === 'deleted' ? [] : templatesOfSandbox(object);
    const before = type === 'added' ? [] : templatesOfSandbox(old ?? object);
    for (const key of new Set([...after, ...before])) {
      if (after.includes(key) !== before.includes(key)) queue.addAfter(key, USERS_MS);
    }
  };
  const stops = [
    caches.templates.subscribe((event) => add('SandboxTemplate', event)),
    caches.clusterTemplates.subscribe((event) => add('ClusterSandboxTemplate', event)),
    caches.sandboxes.subscribe(count),
  ];
  for (const { metadata } of caches.templates.list()) {
    queue.add(templateKey('SandboxTemplate', metadata.namespace, metadata.name ?? ''));
  }
  for (const { metadata } of caches.clusterTemplates.list()) {
    queue.add(templateKey('ClusterSandboxTemplate', undefined, metadata.name ?? ''));
  }
  return () => {
    for (const stop of stops) stop();
  };
}

/** The template and all that inherit from it, however far down; a circle ends where it began. */
function familyOf(caches: Caches, root: string): ReadonlySet<string> {
  const family = new Set([root]);
  for (const key of family) {
    for (const { metadata } of caches.templates.byIndex(BY_PARENT, key)) {
      family.add(templateKey('SandboxTemplate', metadata.namespace, metadata.name ?? ''));
    }
    for (const { metadata } of caches.clusterTemplates.byIndex(BY_PARENT, key)) {
      family.add(templateKey('ClusterSandboxTemplate', undefined, metadata.name ?? ''));
    }
  }
  return family;
}
