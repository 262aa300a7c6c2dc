// SPDX-License-Identifier: Apache-2.0
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { API_VERSION } from '@agenttier/crds/meta/labels';
import { CLUSTER_SANDBOX_TEMPLATES } from '@agenttier/crds/meta/resources';
import type { KubeClient } from '@agenttier/machinery/kube/client';
import { isKubeError } from '@agenttier/machinery/kube/errors';
import type { KubeObject } from '@agenttier/machinery/kube/resource';
import { parse } from 'yaml';

/** Whose fields the built-in templates are; people may add to them as managers of their own. */
const FIELD_MANAGER = 'agenttier-install';
const RETRY_MS = 1_000;

export interface InstallOptions {
  readonly client: KubeClient;
  readonly folder: string;
  readonly log: { info(details: object, text: string): void };
  readonly signal: AbortSignal;
  readonly retryMs?: number;
}

/**
 * Applies every ClusterSandboxTemplate of a folder of YAML files: what the chart's job runs after an install or an
 * upgrade. Templates pass through our own admission, which may not answer yet, so the API server's inability (no
 * answer, 429, 5xx: "failed calling webhook" is a 500) is tried again until `signal` ends it; a refusal ends it at once.
 */
export async function installTemplates({
  client,
  folder,
  log,
  signal,
  retryMs = RETRY_MS,
}: InstallOptions): Promise<void> {
  for (const file of (await readdir(folder)).filter((name) => name.endsWith('.yaml')).toSorted()) {
    const template = readTemplate(await readFile(join(folder, file), 'utf8'), file);
    while (!(await taken(client, template, signal))) {
      log.info({ file }, 'the API server cannot take the template yet');
      await pause(retryMs, undefined, { signal });
    }
    log.info({ template: template.metadata.name }, 'template applied');
  }
}

/** False when the API server could not judge the template now; throws when it refused. */
async function taken(client: KubeClient, template: KubeObject, signal: AbortSignal): Promise<boolean> {
  try {
    // Server-side apply with force: the fields of the file are the install's, whoever touched them since.
    await client.apply(CLUSTER_SANDBOX_TEMPLATES, template, {
      fieldManager: FIELD_MANAGER,
      force: true,
      signal,
    });
    return true;
  } catch (error) {
    if (isKubeError(error) && isPassing(error.status)) return false;
    throw error;
  }
}

/** No answer at all (0), too many requests, or the server's own failure. */
const isPassing = (status: number): boolean => status === 0 || status === 429 || status >= 500;

function readTemplate(text: string, file: string): KubeObject {
  const object = parse(text) as Partial<KubeObject> | null;
  const isTemplate = object?.apiVersion === API_VERSION && object.kind === CLUSTER_SANDBOX_TEMPLATES.kind;
  if (!isTemplate || !object.metadata?.name)
    throw new Error(`${file} is no ${CLUSTER_SANDBOX_TEMPLATES.kind}`);
  return object as KubeObject;
}
