// SPDX-License-Identifier: Apache-2.0
import type { KubeClient } from '@agenttier/machinery/kube/client';
import { isNotFound } from '@agenttier/machinery/kube/errors';
import { SECRETS } from '@agenttier/machinery/kube/resource';
import type { Audit } from '@agenttier/machinery/telemetry/audit';
import { LABEL_SECRET_PURPOSE, SECRET_PURPOSES } from '@agenttier/crds/meta/labels';
import { readKeySecret } from '../../auth/keyRecord.ts';
import type { KeyRecord } from '../../auth/keyRecord.ts';
import { mappedGroups } from '../../auth/namespaces.ts';
import type { GroupNamespaces } from '../../auth/namespaces.ts';
import { generateKey, secretOf } from '../../auth/newKey.ts';
import type { NewKey } from '../../auth/newKey.ts';
import { BY_OWNER } from '../../cluster/caches.ts';
import type { Stores } from '../../cluster/caches.ts';
import type { SandboxFinder } from '../../cluster/finder.ts';
import type { Secret } from '../../cluster/shapes.ts';
import type { Handlers } from '../contract.ts';
import { refusals } from '../errors.ts';
import { byKey, pageOf } from '../page.ts';
import type { Call, Reply } from '../route.ts';
import { readKeyRequest } from './body.ts';
import type { KeyBody, KeyRequest } from './body.ts';

export interface KeysOptions {
  readonly client: Pick<KubeClient, 'get' | 'create' | 'delete'>;
  readonly stores: Pick<Stores, 'apiKeys'>;
  readonly finder: Pick<SandboxFinder, 'find'>;
  readonly installNamespace: string;
  readonly groupNamespaces: GroupNamespaces;
  readonly audit: Audit;
  readonly now?: () => number;
}

type Operations = Pick<Handlers, 'listApiKeys' | 'createApiKey' | 'revokeApiKey'>;

/** Every key is an object of the cluster: nobody may fill it with them. */
const MOST_KEYS = 200;
const WARNING = 'This key is shown once and never again: keep it where nobody else can read it.';

/**
 * API keys as Secrets of the install namespace, written by the router's own account, since nobody else may have rights on
 * Secrets there. A key is created under a name that holds its hash, so no write can meet another; it is deleted with its
 * uid as a precondition. Every replica hears of both by its watch.
 */
export function keyOperations(options: KeysOptions): Operations {
  return {
    listApiKeys: (call) => list(options, call),
    createApiKey: (call) => create(options, call),
    revokeApiKey: (call) => revoke(options, call),
  };
}

function list({ stores }: KeysOptions, { principal, query }: Call): Reply {
  const user = query.get('user') ?? principal.sub;
  if (user !== principal.sub && !principal.isAdmin) throw refusals.adminRequired();
  const secrets = user === '*' ? stores.apiKeys.list() : stores.apiKeys.byIndex(BY_OWNER, user);
  const keys = secrets.flatMap((secret) => readKeySecret(secret) ?? []).map(keyView);
  const { items, ...rest } = pageOf(keys.sort(byKey(orderOf)), query, orderOf);
  return { status: 200, body: { keys: items, ...rest } };
}

const orderOf = ({ createdAt, id }: ReturnType<typeof keyView>): string => `${createdAt} ${id}`;

/** The principal's name is the key's. */
export function keyView({ principal, createdAt, expiresAt }: KeyRecord) {
  const { sub, name, key } = principal;
  const { id = '', sandboxId, sandboxNamespace, actionGroups = [] } = key ?? {};
  return {
    id,
    userId: sub,
    name,
    ...(sandboxId === undefined ? {} : { sandboxId, actionGroups }),
    ...(sandboxNamespace === undefined ? {} : { namespace: sandboxNamespace }),
    createdAt,
    ...(expiresAt === undefined ? {} : { expiresAt: new Date(expiresAt).toISOString() }),
  };
}

async function create(options: KeysOptions, call: Call<KeyBody>): Promise<Reply> {
  const { client, stores, installNamespace: namespace, audit } = options;
  const { principal } = call;
  const now = (options.now ?? Date.now)();
  const result = readKeyRequest(call.body, now);
  if (!result.ok) throw refusals.invalidFields(result.problems);
  if (stores.apiKeys.byIndex(BY_OWNER, principal.sub).length >= MOST_KEYS) {
    throw refusals.tooManyKeys(MOST_KEYS);
  }
  const asked = await keyAskedFor(options, call, result.request);
  const key = generateKey();
  const secret = secretOf(key, asked, principal, { namespace, now });
  const stored = await client.create<Secret>(SECRETS, namespace, secret, { signal: call.signal });
  stores.apiKeys.applyLocal(stored);
  const id = stored.metadata.name ?? '';
  audit({ actor: principal, action: 'ApiKeyCreated', ...aboutKey(namespace, id), sourceIp: call.sourceIp });
  const { name, expiresAt, sandbox, actionGroups } = asked;
  return {
    status: 201,
    body: {
      id,
      key,
      name,
      sandboxId: sandbox?.id ?? '',
      actionGroups,
      createdAt: new Date(now).toISOString(),
      expiresAt: expiresAt === undefined ? null : new Date(expiresAt).toISOString(),
      warning: WARNING,
    },
  };
}

/** What was asked for, within what the caller's own credential allows. */
async function keyAskedFor(
  options: KeysOptions,
  { principal, body }: Call<KeyBody>,
  { name, expiresAt, sandboxId, actionGroups }: KeyRequest,
): Promise<NewKey> {
  const { key: own } = principal;
  const groups = own === undefined ? mappedGroups(principal.groups, options.groupNamespaces) : own.groups;
  const key = { name, actionGroups, groups: groups ?? [], expiresAt: earlier(expiresAt, own?.expiresAt) };
  if (sandboxId === undefined) return key;
  const { sandbox } = await options.finder.find({ id: sandboxId, namespace: body.namespace }, principal);
  const { name: id = '', namespace = '', uid = '' } = sandbox.metadata;
  return { ...key, sandbox: { id, namespace, uid } };
}

/** A key from a key ends with that one at the latest. One from a token is meant to outlive it: that is what keys are for. */
function earlier(a: number | undefined, b: number | undefined): number | undefined {
  return a === undefined || b === undefined ? (a ?? b) : Math.min(a, b);
}

async function revoke(options: KeysOptions, call: Call): Promise<Reply> {
  const { client, stores, installNamespace: namespace, audit } = options;
  const { principal } = call;
  const id = call.params['key'] ?? '';
  const secret = await findKey(options, id);
  const owner = secret && readKeySecret(secret)?.principal.sub;
  // Not there and not yours are one answer: nobody learns whose keys there are.
  if (!secret || (owner !== principal.sub && !principal.isAdmin)) throw refusals.keyNotFound(id);
  const { uid } = secret.metadata;
  const preconditions = uid === undefined ? {} : { uid };
  await client
    .delete(SECRETS, { namespace, name: id }, { preconditions, signal: call.signal })
    .catch((error: unknown) => {
      if (!isNotFound(error)) throw error;
    });
  stores.apiKeys.deleteWatch(secret);
  audit({
    actor: principal,
    action: 'ApiKeyRevoked',
    ...aboutKey(namespace, id),
    reason: owner === principal.sub ? undefined : 'ByAdministrator',
    sourceIp: call.sourceIp,
  });
  return { status: 200, body: { status: 'revoked', id } };
}

/** A key that another replica has just made is not in the cache yet. No other Secret of the namespace is ever looked at. */
async function findKey(
  { client, stores, installNamespace: namespace }: KeysOptions,
  name: string,
): Promise<Secret | undefined> {
  const known = stores.apiKeys.get(namespace, name);
  if (known || !/^agenttier-apikey-[0-9a-f]{40}$/.test(name)) return known;
  try {
    const secret = await client.get<Secret>(SECRETS, { namespace, name }, { timeoutMs: 3000 });
    const isKey = secret.metadata.labels?.[LABEL_SECRET_PURPOSE] === SECRET_PURPOSES.apiKey;
    return isKey ? secret : undefined;
  } catch (error) {
    if (isNotFound(error)) return undefined;
    throw error;
  }
}

const aboutKey = (namespace: string, name: string) =>
  ({ resource: 'ApiKey', namespace, name, outcome: 'allowed' }) as const;
