// SPDX-License-Identifier: Apache-2.0
import type { KubeClient } from '@agenttier/machinery/kube/client';
import { adminOperations } from './api/admin/operations.ts';
import { governanceOperations } from './api/governance/operations.ts';
import { SandboxRows } from './api/sandboxes/rows.ts';
import { sandboxOperations } from './api/sandboxes/operations.ts';
import { templateOperations } from './api/templates/operations.ts';
import type { Stores } from './cluster/caches.ts';
import type { SandboxFinder } from './cluster/finder.ts';
import { PodResize } from './cluster/podResize.ts';

export interface ObjectOptions {
  readonly client: KubeClient;
  readonly stores: Stores;
  readonly finder: SandboxFinder;
  readonly defaultNamespace: string;
}

/** Handlers for the objects of the cluster themselves: sandboxes, templates, policies, and the views over them. */
export function objectHandlers(options: ObjectOptions) {
  const { client, stores } = options;
  const rows = new SandboxRows();
  return {
    ...sandboxOperations({ ...options, rows, podResize: new PodResize(client) }),
    ...templateOperations({ client, stores }),
    ...governanceOperations(options),
    ...adminOperations({ stores, rows }),
  };
}
