// SPDX-License-Identifier: Apache-2.0
import type { Sandbox } from '@agenttier/crds/generated/types';
import type { KubeClient } from '@agenttier/machinery/kube/client';
import { adminOperations } from './api/admin/operations.ts';
import { changeOperations } from './api/changes/operations.ts';
import { governanceOperations } from './api/governance/operations.ts';
import type { SandboxRows } from './api/sandboxes/rows.ts';
import { sandboxOperations } from './api/sandboxes/operations.ts';
import { templateOperations } from './api/templates/operations.ts';
import type { ChangeFeed } from './changes/feed.ts';
import type { Stores } from './cluster/caches.ts';
import type { SandboxFinder } from './cluster/finder.ts';
import { PodResize } from './cluster/podResize.ts';

export interface ObjectOptions {
  readonly client: KubeClient;
  readonly stores: Stores;
  readonly finder: SandboxFinder;
  /** The sandbox is being used. */
  readonly touch: (sandbox: Sandbox) => void;
  readonly defaultNamespace: string;
  readonly rows: SandboxRows;
  readonly changes: ChangeFeed;
}

/** Handlers for the objects of the cluster themselves: sandboxes, templates, policies, and the views over them. */
export function objectHandlers(options: ObjectOptions) {
  const { client, stores, rows, changes } = options;
  return {
    ...sandboxOperations({ ...options, podResize: new PodResize(client) }),
    ...templateOperations({ client, stores }),
    ...governanceOperations(options),
    ...adminOperations({ stores, rows }),
    ...changeOperations(changes),
  };
}
