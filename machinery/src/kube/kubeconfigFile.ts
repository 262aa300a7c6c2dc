// SPDX-License-Identifier: Apache-2.0
import { dirname, resolve } from 'node:path';
import { parse } from 'yaml';

export interface ClusterEntry {
  readonly server: string;
  readonly caData?: string | undefined;
  readonly caFile?: string | undefined;
  readonly insecureSkipTlsVerify: boolean;
  readonly tlsServerName?: string | undefined;
}

export interface UserEntry {
  readonly token?: string | undefined;
  readonly tokenFile?: string | undefined;
  readonly certData?: string | undefined;
  readonly certFile?: string | undefined;
  readonly keyData?: string | undefined;
  readonly keyFile?: string | undefined;
  /** The user needs a plugin (`exec`, `auth-provider`), which we leave to client-node. */
  readonly needsPlugin: boolean;
  /** The entry as written, for that plugin. */
  readonly raw: Readonly<Record<string, unknown>>;
}

export interface ContextEntry {
  readonly cluster: string;
  readonly user?: string | undefined;
  readonly namespace?: string | undefined;
}

export interface Kubeconfig {
  readonly currentContext?: string | undefined;
  readonly clusters: ReadonlyMap<string, ClusterEntry>;
  readonly users: ReadonlyMap<string, UserEntry>;
  readonly contexts: ReadonlyMap<string, ContextEntry>;
}

type Raw = Readonly<Record<string, unknown>>;

/** Parses the text of one kubeconfig file; relative paths inside it are relative to the file's folder. */
export function parseKubeconfig(text: string, path: string): Kubeconfig {
  const folder = dirname(resolve(path));
  const root = objectOf(parse(text), `kubeconfig ${path} is not a YAML object`);
  return {
    currentContext: string(root['current-context']),
    clusters: entries(root['clusters'], 'cluster', (raw) => clusterOf(raw, folder)),
    users: entries(root['users'], 'user', (raw) => userOf(raw, folder)),
    contexts: entries(root['contexts'], 'context', contextOf),
  };
}

/** kubectl's rule: the first file that mentions a name or sets a value wins. */
export function mergeKubeconfigs(files: readonly Kubeconfig[]): Kubeconfig {
  const merged = <V>(pick: (file: Kubeconfig) => ReadonlyMap<string, V>): Map<string, V> =>
    new Map(files.toReversed().flatMap((file) => [...pick(file)]));
  return {
    currentContext: files.map((file) => file.currentContext).find(Boolean),
    clusters: merged((file) => file.clusters),
    users: merged((file) => file.users),
    contexts: merged((file) => file.contexts),
  };
}

function clusterOf(raw: Raw, folder: string): ClusterEntry {
  return {
    server: string(raw['server']) ?? '',
    caData: decoded(raw['certificate-authority-data']),
    caFile: pathIn(folder, raw['certificate-authority']),
    insecureSkipTlsVerify: raw['insecure-skip-tls-verify'] === true,
    tlsServerName: string(raw['tls-server-name']),
  };
}

function userOf(raw: Raw, folder: string): UserEntry {
  return {
    token: string(raw['token']),
    tokenFile: pathIn(folder, raw['tokenFile']),
    certData: decoded(raw['client-certificate-data']),
    certFile: pathIn(folder, raw['client-certificate']),
    keyData: decoded(raw['client-key-data']),
    keyFile: pathIn(folder, raw['client-key']),
    needsPlugin: Boolean(raw['exec'] ?? raw['auth-provider']),
    raw,
  };
}

function contextOf(raw: Raw): ContextEntry {
  return {
    cluster: string(raw['cluster']) ?? '',
    user: string(raw['user']),
    namespace: string(raw['namespace']),
  };
}

function entries<V>(list: unknown, inner: string, build: (raw: Raw) => V): Map<string, V> {
  const named = new Map<string, V>();
  for (const item of Array.isArray(list) ? (list as unknown[]) : []) {
    const entry = objectOf(item, `an entry of the kubeconfig is not an object`);
    const name = string(entry['name']);
    if (name === undefined || named.has(name)) continue;
    named.set(
      name,
      build(objectOf(entry[inner] ?? {}, `${inner} "${name}" of the kubeconfig is not an object`)),
    );
  }
  return named;
}

function objectOf(value: unknown, message: string): Raw {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw new Error(message);
  return value as Raw;
}

const string = (value: unknown): string | undefined =>
  typeof value === 'string' && value !== '' ? value : undefined;

const decoded = (value: unknown): string | undefined => {
  const text = string(value);
  return text === undefined ? undefined : Buffer.from(text, 'base64').toString('utf8');
};

const pathIn = (folder: string, value: unknown): string | undefined => {
  const path = string(value);
  return path === undefined ? undefined : resolve(folder, path);
};
