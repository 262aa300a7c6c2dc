// SPDX-License-Identifier: Apache-2.0
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { ClusterAccess } from './access.ts';
import { tokenFromFile } from './tokenFile.ts';

/** Where the kubelet mounts a pod's ServiceAccount. */
const MOUNT = '/var/run/secrets/kubernetes.io/serviceaccount';

/** Access with the pod's own ServiceAccount; `env` holds the service variables that the kubelet sets in every pod. */
export async function inClusterAccess(
  env: Readonly<Record<string, string | undefined>>,
  mount: string = MOUNT,
): Promise<ClusterAccess> {
  const host = env['KUBERNETES_SERVICE_HOST'] ?? '';
  const port = env['KUBERNETES_SERVICE_PORT'] ?? '443';
  return {
    server: `https://${host.includes(':') ? `[${host}]` : host}:${port}`,
    ca: await readFile(join(mount, 'ca.crt'), 'utf8'),
    token: tokenFromFile(join(mount, 'token')),
    namespace: (await readFile(join(mount, 'namespace'), 'utf8')).trim(),
  };
}
