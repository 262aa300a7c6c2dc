// SPDX-License-Identifier: Apache-2.0
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { KubeClient } from '@agenttier/machinery/kube/client';
import { CUSTOM_RESOURCE_DEFINITIONS } from '@agenttier/machinery/kube/resource';
import type { KubeObject } from '@agenttier/machinery/kube/resource';
import { until } from '@agenttier/machinery/testing/until';
import { parseAllDocuments } from 'yaml';

interface Definition extends KubeObject {
  readonly status?: { readonly conditions?: readonly { readonly type: string; readonly status: string }[] };
}

/** Applies every CustomResourceDefinition of the folder and waits until each is served. */
export async function installCrds(client: KubeClient, folder: string): Promise<void> {
  const names: string[] = [];
  for (const file of (await readdir(folder)).filter((name) => name.endsWith('.yaml')).toSorted()) {
    for (const document of parseAllDocuments(await readFile(join(folder, file), 'utf8'))) {
      const definition = document.toJS() as Definition | null;
      if (definition?.kind !== 'CustomResourceDefinition') continue;
      await client.apply(CUSTOM_RESOURCE_DEFINITIONS, definition, { fieldManager: 'envtest', force: true });
      names.push(definition.metadata.name ?? '');
    }
  }
  for (const name of names) {
    await until(
      () => established(client, name),
      `CustomResourceDefinition ${name} to be established`,
      20_000,
    );
  }
}

async function established(client: KubeClient, name: string): Promise<boolean> {
  const { status } = await client.get<Definition>(CUSTOM_RESOURCE_DEFINITIONS, { name });
  return (
    status?.conditions?.some(
      (condition) => condition.type === 'Established' && condition.status === 'True',
    ) ?? false
  );
}
