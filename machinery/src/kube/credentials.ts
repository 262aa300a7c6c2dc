// SPDX-License-Identifier: Apache-2.0
import { readFile } from 'node:fs/promises';
import type { ClusterAccess } from './access.ts';
import type { Kubeconfig, UserEntry } from './kubeconfigFile.ts';
import { tokenFromFile } from './tokenFile.ts';

type Credentials = Pick<ClusterAccess, 'clientCert' | 'clientKey' | 'token'>;

/** Certificate, key and token of a kubeconfig user. */
export async function credentialsOf(
  user: UserEntry,
  origin: { readonly config: Kubeconfig; readonly context: string },
): Promise<Credentials> {
  const token = tokenOf(user);
  const clientCert = await pem(user.certData, user.certFile);
  const clientKey = await pem(user.keyData, user.keyFile);
  if (token || clientCert || !user.needsPlugin) return { clientCert, clientKey, token };
  return pluginCredentials(origin.config, origin.context);
}

/** As in kubectl, a token file (which somebody renews) wins over a token written into the kubeconfig. */
function tokenOf(user: UserEntry): ClusterAccess['token'] {
  if (user.tokenFile) return tokenFromFile(user.tokenFile);
  const { token } = user;
  return token === undefined ? undefined : () => Promise.resolve(token);
}

async function pem(data: string | undefined, file: string | undefined): Promise<string | undefined> {
  return data ?? (file === undefined ? undefined : readFile(file, 'utf8'));
}

/**
 * `exec` and `auth-provider` users. client-node knows their protocols; it costs 90 MB and half a second to load, so it
 * is loaded for these users only. It caches what a plugin answers until that expires.
 */
async function pluginCredentials(config: Kubeconfig, context: string): Promise<Credentials> {
  const { KubeConfig } = await import('@kubernetes/client-node');
  const kubeConfig = new KubeConfig();
  kubeConfig.loadFromString(JSON.stringify(rawConfig(config, context)));
  const ask = async (): Promise<{ cert?: unknown; key?: unknown; authorization?: string }> => {
    const options: { cert?: unknown; key?: unknown; headers: Record<string, string> } = { headers: {} };
    await kubeConfig.applyToHTTPSOptions(options as never);
    const { Authorization: authorization } = options.headers;
    return {
      cert: options.cert,
      key: options.key,
      ...(authorization === undefined ? {} : { authorization }),
    };
  };
  const first = await ask();
  return {
    clientCert: text(first.cert),
    clientKey: text(first.key),
    token: async () => (await ask()).authorization?.replace(/^Bearer /, ''),
  };
}

function rawConfig(config: Kubeconfig, name: string): unknown {
  const context = config.contexts.get(name);
  const user = config.users.get(context?.user ?? '');
  const cluster = config.clusters.get(context?.cluster ?? '');
  return {
    apiVersion: 'v1',
    kind: 'Config',
    'current-context': name,
    contexts: [{ name, context: { cluster: 'cluster', user: 'user' } }],
    clusters: [{ name: 'cluster', cluster: { server: cluster?.server } }],
    users: [{ name: 'user', user: user?.raw }],
  };
}

function text(value: unknown): string | undefined {
  if (typeof value === 'string') return value;
  return Buffer.isBuffer(value) ? value.toString('utf8') : undefined;
}
