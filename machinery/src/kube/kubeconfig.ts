// SPDX-License-Identifier: Apache-2.0
import { readFile } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import type { ClusterAccess } from './access.ts';
import { credentialsOf } from './credentials.ts';
import { inClusterAccess } from './inCluster.ts';
import { mergeKubeconfigs, parseKubeconfig } from './kubeconfigFile.ts';
import type { ClusterEntry, Kubeconfig } from './kubeconfigFile.ts';

export type { ClusterAccess } from './access.ts';

export interface LoadAccessOptions {
  /** Path of one kubeconfig file; wins over everything else. */
  readonly kubeconfig?: string | undefined;
  /** Name of the context; default the file's current-context. */
  readonly context?: string | undefined;
  /** Use the pod's ServiceAccount when no kubeconfig exists. */
  readonly inClusterFallback?: boolean | undefined;
  /** The environment: KUBECONFIG, HOME, KUBERNETES_SERVICE_HOST and _PORT are read. */
  readonly env: Readonly<Record<string, string | undefined>>;
}

/**
 * Finds the cluster the way kubectl does: the given file, the files of KUBECONFIG (merged, first mention wins),
 * `~/.kube/config`, then the pod's own ServiceAccount. Throws Error with the file or entry that is missing.
 */
export async function loadAccess(options: LoadAccessOptions): Promise<ClusterAccess> {
  const { env } = options;
  const named = options.kubeconfig
    ? [options.kubeconfig]
    : (env['KUBECONFIG'] ?? '').split(delimiter).filter(Boolean);
  if (named.length > 0) return accessFromFiles(named, options);
  const home = env['HOME'] ?? env['USERPROFILE'];
  const usual = home === undefined ? undefined : join(home, '.kube', 'config');
  if (usual !== undefined && (await exists(usual))) return accessFromFiles([usual], options);
  if (options.inClusterFallback && env['KUBERNETES_SERVICE_HOST']) return inClusterAccess(env);
  throw new Error('no cluster is configured: pass --kubeconfig, set KUBECONFIG, or create ~/.kube/config');
}

async function accessFromFiles(paths: readonly string[], options: LoadAccessOptions): Promise<ClusterAccess> {
  const files: Kubeconfig[] = [];
  for (const path of paths) {
    // kubectl skips missing files of the list KUBECONFIG, but not a file that was asked for.
    if (paths.length > 1 && !(await exists(path))) continue;
    files.push(parseKubeconfig(await readConfig(path), path));
  }
  return accessFromConfig(mergeKubeconfigs(files), options.context);
}

/** Access for one context of a parsed configuration. */
export async function accessFromConfig(config: Kubeconfig, contextName?: string): Promise<ClusterAccess> {
  const name = contextName ?? config.currentContext;
  if (!name) throw new Error('the kubeconfig has no current-context: name one with --context');
  const context = config.contexts.get(name);
  if (!context)
    throw new Error(`context "${name}" is not in the kubeconfig (known: ${known(config.contexts)})`);
  const cluster = config.clusters.get(context.cluster);
  if (!cluster)
    throw new Error(`context "${name}" names cluster "${context.cluster}", which is not in the kubeconfig`);
  const user = config.users.get(context.user ?? '');
  if (context.user && !user) {
    throw new Error(`context "${name}" names user "${context.user}", which is not in the kubeconfig`);
  }
  return {
    ...(await clusterSettings(cluster)),
    ...(user ? await credentialsOf(user, { config, context: name }) : {}),
    namespace: context.namespace || 'default',
  };
}

async function clusterSettings(cluster: ClusterEntry): Promise<Omit<ClusterAccess, 'namespace'>> {
  if (!cluster.server) throw new Error('the kubeconfig cluster has no server');
  const ca = cluster.caData ?? (cluster.caFile ? await readFile(cluster.caFile, 'utf8') : undefined);
  return {
    server: cluster.server,
    ca,
    insecureSkipTlsVerify: cluster.insecureSkipTlsVerify,
    tlsServerName: cluster.tlsServerName,
  };
}

const known = (entries: ReadonlyMap<string, unknown>): string => [...entries.keys()].join(', ') || 'none';

async function readConfig(path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    throw new Error(`kubeconfig ${path} cannot be read`, { cause: error });
  }
}

async function exists(path: string): Promise<boolean> {
  try {
    await readFile(path);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return false;
    throw error;
  }
}
