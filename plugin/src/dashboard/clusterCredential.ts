// SPDX-License-Identifier: Apache-2.0
import { createHash, randomBytes } from 'node:crypto';
import {
  GROUP_ADMINS,
  LABEL_API_KEY_USER,
  LABEL_SECRET_PURPOSE,
  SECRET_PURPOSES,
} from '@agenttier/crds/meta/labels';
import { apiKeySecretName, apiKeyUserLabel } from '@agenttier/crds/wire/apiKey';
import { isKubeError } from '@agenttier/machinery/kube/errors';
import { pathOf, SECRETS, SELF_SUBJECT_ACCESS_REVIEWS } from '@agenttier/machinery/kube/resource';
import { credentialOf } from '../client/credential.ts';
import { kubernetesIdentity } from '../client/identity.ts';
import { type Cluster, callOptions } from '../context/cluster.ts';
import { CommandError } from '../context/failure.ts';
import type { Host } from '../context/host.ts';
import { claimsOf } from '../login/tokens.ts';
import type { Authorize, SignInConfig } from './upstream.ts';

/** For how long a key counts at most: it outlives a proxy that was killed by no more than this. */
const KEY_MS = 12 * 3_600_000;
const RENEW_MS = 10 * 60_000;
const CLEAN_UP_MS = 5_000;

export interface ClusterCredential {
  readonly authorize: Authorize;
  /** Ends what was made for it. */
  end(): Promise<void>;
}

const NOTHING_TO_END = (): Promise<void> => Promise.resolve();

/** How the router is shown who the kubeconfig says that one is. Throws CommandError when it cannot be shown. */
export async function clusterCredential(
  host: Host,
  cluster: Cluster,
  { config, namespace }: { readonly config: SignInConfig; readonly namespace: string },
): Promise<ClusterCredential> {
  if (config.mode === 'dev') return { authorize: () => Promise.resolve(undefined), end: NOTHING_TO_END };
  const { token } = cluster.access;
  if (token !== undefined && isForRouter((await token()) ?? '', config)) {
    return { authorize: async () => credentialOf({ token: await token() }), end: NOTHING_TO_END };
  }
  const key = new OwnKey(host, cluster, namespace);
  await key.value();
  return { authorize: async () => credentialOf({ apiKey: await key.value() }), end: () => key.end() };
}

/** A token goes to the router only when it was issued for it: one for the API server alone could be used there. */
function isForRouter(token: string, { mode, issuer, clientId }: SignInConfig): boolean {
  if (mode !== 'oidc' || issuer === undefined || clientId === undefined) return false;
  const { iss, aud } = claimsOf(token);
  return iss === issuer && [aud].flat().includes(clientId);
}

/**
 * An API key for as long as this program runs. Only who may create Secrets in the install namespace can make one this way,
 * and those may act as anybody as it is; it gives no right that the kubeconfig did not.
 */
class OwnKey {
  readonly #host: Host;
  readonly #cluster: Cluster;
  readonly #namespace: string;
  #made: { readonly key: string; readonly name: string; readonly expires: number } | undefined;
  #making: Promise<string> | undefined;

  constructor(host: Host, cluster: Cluster, namespace: string) {
    this.#host = host;
    this.#cluster = cluster;
    this.#namespace = namespace;
  }

  /** Many requests at once make one. */
  value(): Promise<string> {
    const now = this.#host.clock.now();
    if (this.#made !== undefined && this.#made.expires - RENEW_MS > now)
      return Promise.resolve(this.#made.key);
    return (this.#making ??= this.#make(now).finally(() => (this.#making = undefined)));
  }

  async end(): Promise<void> {
    await this.#making?.catch(() => undefined);
    if (this.#made === undefined) return;
    const { name } = this.#made;
    const signal = AbortSignal.timeout(CLEAN_UP_MS);
    // It ends by itself where this does not work.
    await this.#cluster.client
      .delete(SECRETS, { namespace: this.#namespace, name }, { signal })
      .catch(() => undefined);
  }

  async #make(now: number): Promise<string> {
    const before = this.#made?.name;
    const { username } = await kubernetesIdentity(this.#host, this.#cluster);
    const key = `atk_${randomBytes(32).toString('base64url')}`;
    const isAdmin = await mayActAsAdmins(this.#host, this.#cluster);
    const secret = keySecret({ key, username, isAdmin, namespace: this.#namespace, now });
    const { name } = secret.metadata;
    try {
      await this.#cluster.client.create(SECRETS, this.#namespace, secret, callOptions(this.#host));
    } catch (error) {
      if (isKubeError(error) && error.status === 403) throw notAllowed(username, this.#namespace);
      throw error;
    }
    this.#made = { key, name, expires: now + KEY_MS };
    if (before !== undefined) {
      const place = { namespace: this.#namespace, name: before };
      await this.#cluster.client.delete(SECRETS, place, callOptions(this.#host)).catch(() => undefined);
    }
    return key;
  }
}

const notAllowed = (username: string, namespace: string): CommandError =>
  new CommandError(
    `${username} may not create Secrets in namespace ${namespace}, so no key can be made for the dashboard; sign in instead, with: kubectl agenttier login --api-url URL`,
  );

/** Administrators of AgentTier are those who may act as its group of them, by the cluster's own rules. */
async function mayActAsAdmins(host: Host, { client }: Cluster): Promise<boolean> {
  const resourceAttributes = { verb: 'impersonate', resource: 'groups', name: GROUP_ADMINS };
  const body = {
    apiVersion: 'authorization.k8s.io/v1',
    kind: 'SelfSubjectAccessReview',
    spec: { resourceAttributes },
  };
  const request = { method: 'POST', path: pathOf(SELF_SUBJECT_ACCESS_REVIEWS, {}), body };
  const answer = await client.raw(request, callOptions(host));
  return (answer.body as { status?: { allowed?: boolean } }).status?.allowed === true;
}

interface KeyFacts {
  readonly key: string;
  readonly username: string;
  readonly isAdmin: boolean;
  readonly namespace: string;
  readonly now: number;
}

/** As the router stores keys: the hash of one, never the key. */
function keySecret({ key, username, isAdmin, namespace, now }: KeyFacts) {
  const keyHash = createHash('sha256').update(key, 'utf8').digest('hex');
  const record = {
    keyHash,
    userId: username,
    name: 'kubectl agenttier dashboard',
    actionGroups: [],
    allowedNamespaces: [],
    createdAt: new Date(now).toISOString(),
    expiresAt: new Date(now + KEY_MS).toISOString(),
    ...(isAdmin ? { isAdmin } : {}),
  };
  return {
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: {
      name: apiKeySecretName(keyHash),
      namespace,
      labels: {
        [LABEL_SECRET_PURPOSE]: SECRET_PURPOSES.apiKey,
        [LABEL_API_KEY_USER]: apiKeyUserLabel(username),
      },
    },
    stringData: { keyHash, record: JSON.stringify(record) },
  };
}
