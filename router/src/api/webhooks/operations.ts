// SPDX-License-Identifier: Apache-2.0
import { FIELD_MANAGER_ROUTER } from '@agenttier/crds/meta/labels';
import { WEBHOOK_SUBSCRIPTIONS } from '@agenttier/crds/meta/resources';
import type { KubeClient } from '@agenttier/machinery/kube/client';
import { isNotFound } from '@agenttier/machinery/kube/errors';
import { SECRETS } from '@agenttier/machinery/kube/resource';
import type { Audit } from '@agenttier/machinery/telemetry/audit';
import { namespaceAllowed } from '../../auth/authorize.ts';
import { impersonationOf } from '../../auth/principal.ts';
import type { Stores } from '../../cluster/caches.ts';
import type { SandboxFinder } from '../../cluster/finder.ts';
import type { Handlers } from '../contract.ts';
import { refusals } from '../errors.ts';
import { byKey, pageOf } from '../page.ts';
import type { Call, Reply } from '../route.ts';
import {
  eventTypesIn,
  keySecretName,
  newId,
  newSigningKey,
  signingKeyObject,
  subscriptionObject,
  subscriptionView,
} from './subscription.ts';
import type { Subscription, Wish } from './subscription.ts';

export interface WebhooksOptions {
  readonly client: Pick<KubeClient, 'create' | 'delete'>;
  readonly stores: Pick<Stores, 'subscriptions'>;
  readonly finder: Pick<SandboxFinder, 'find'>;
  readonly installNamespace: string;
  readonly defaultNamespace: string;
  readonly audit: Audit;
}

type Operations = Pick<Handlers, 'createWebhook' | 'listWebhooks' | 'deleteWebhook' | 'listDeliveries'>;

interface WebhookBody {
  readonly url: string;
  readonly eventTypes: readonly string[];
  readonly sandboxId?: string;
  readonly namespace?: string;
}

/** Every subscription is watched by the operator and has a queue of its own: nobody may fill it with them. */
const MOST = 50;
const WARNING =
  'This key is shown once and never again: keep it with the receiver, which checks signatures with it.';

/**
 * WebhookSubscription objects, written as the person, so that admission judges address, scope and ownership. The signing key
 * is a Secret of the install namespace, where people have no rights: the router writes it by its own account.
 */
export function webhookOperations(options: WebhooksOptions): Operations {
  return {
    createWebhook: (call) => create(options, call),
    listWebhooks: (call) => {
      const { items, ...rest } = pageOf(ownOf(options, call), call.query, ageOf);
      return { status: 200, body: { webhooks: items.map(subscriptionView), ...rest } };
    },
    deleteWebhook: (call) => remove(options, call),
    listDeliveries: (call) => {
      const { status } = subscriptionNamed(options, call);
      return { status: 200, body: { deliveries: status?.deliveries ?? [] } };
    },
  };
}

function ownOf({ stores }: WebhooksOptions, { principal }: Pick<Call, 'principal'>): Subscription[] {
  return stores.subscriptions
    .list()
    .filter(({ spec, metadata }) => {
      const own = spec.createdBy?.sub === principal.sub;
      return own && namespaceAllowed(principal, metadata.namespace);
    })
    .sort(byKey(ageOf));
}

const ageOf = ({ metadata }: Subscription): string =>
  `${metadata.creationTimestamp ?? ''} ${metadata.name ?? ''}`;

/** The one of that id which the caller may see; administrators see everybody's. Not there and not yours are one 404. */
function subscriptionNamed({ stores }: WebhooksOptions, { params, query, principal }: Call): Subscription {
  const id = params['webhook'] ?? '';
  const namespace = query.get('namespace');
  const found = stores.subscriptions
    .list()
    .filter(({ metadata }) => metadata.name === id && (!namespace || metadata.namespace === namespace))
    .filter(({ metadata }) => namespaceAllowed(principal, metadata.namespace));
  const own = found.find(({ spec }) => spec.createdBy?.sub === principal.sub);
  const seen = own ?? (principal.isAdmin && found.length === 1 ? found[0] : undefined);
  if (seen === undefined) throw refusals.webhookNotFound(id);
  return seen;
}

async function create(options: WebhooksOptions, call: Call<WebhookBody>): Promise<Reply> {
  const { client, stores, installNamespace, audit } = options;
  const { principal, signal, sourceIp } = call;
  const { namespace, ...wish } = await wishOf(options, call);
  if (ownOf(options, call).length >= MOST) throw refusals.tooManyWebhooks(MOST);
  const id = newId();
  const secret = newSigningKey();
  const key = signingKeyObject(id, namespace, installNamespace, secret);
  // First the key: a subscription without one would be switched off before it had it.
  await client.create(SECRETS, installNamespace, key, { signal });
  try {
    const object = subscriptionObject(id, namespace, wish);
    const options_ = { impersonate: impersonationOf(principal), fieldManager: FIELD_MANAGER_ROUTER, signal };
    const created = await client.create<Subscription>(WEBHOOK_SUBSCRIPTIONS, namespace, object, options_);
    stores.subscriptions.applyLocal(created);
    const about = { resource: WEBHOOK_SUBSCRIPTIONS.kind, namespace, name: id } as const;
    audit({ actor: principal, action: 'WebhookCreated', ...about, outcome: 'allowed', sourceIp });
    return { status: 201, body: { ...subscriptionView(created), secret, warning: WARNING } };
  } catch (error) {
    await client
      .delete(SECRETS, { namespace: installNamespace, name: keySecretName(id) })
      .catch(() => undefined);
    throw error;
  }
}

type Placed = Wish & { readonly namespace: string };

/** A person hears of a sandbox of the own; administrators of any one, of a namespace, or of the cluster. */
async function wishOf(options: WebhooksOptions, call: Call<WebhookBody>): Promise<Placed> {
  const { principal, body } = call;
  const common = { url: body.url, eventTypes: eventTypesIn(body.eventTypes) };
  if (body.sandboxId) return { ...common, ...(await ofSandbox(options, call, body.sandboxId)) };
  if (!principal.isAdmin) throw refusals.webhookNeedsSandbox();
  if (body.namespace) return { ...common, scope: 'Namespace', namespace: body.namespace };
  // A key that reaches a few namespaces only hears of no others.
  if (!namespaceAllowed(principal, undefined)) throw refusals.webhookNeedsSandbox();
  return { ...common, scope: 'Cluster', namespace: options.defaultNamespace };
}

async function ofSandbox(
  { finder }: WebhooksOptions,
  { principal, body }: Call<WebhookBody>,
  id: string,
): Promise<Pick<Placed, 'sandbox' | 'scope' | 'namespace'>> {
  const { sandbox, role } = await finder.find({ id, namespace: body.namespace }, principal);
  if (role !== 'owner' && role !== 'admin') throw refusals.roleTooLow('subscribe to');
  const { name = '', namespace = '' } = sandbox.metadata;
  const scope = sandbox.spec?.createdBy?.sub === principal.sub ? 'Own' : 'Namespace';
  return { sandbox: name, scope, namespace };
}

async function remove(options: WebhooksOptions, call: Call): Promise<Reply> {
  const { client, stores, installNamespace, audit } = options;
  const { principal, signal, sourceIp } = call;
  const subscription = subscriptionNamed(options, call);
  const { namespace = '', name = '', uid } = subscription.metadata;
  const which = uid === undefined ? {} : { preconditions: { uid } };
  const as = { impersonate: impersonationOf(principal), signal };
  await unlessGone(client.delete(WEBHOOK_SUBSCRIPTIONS, { namespace, name }, { ...which, ...as }));
  stores.subscriptions.deleteWatch(subscription);
  // Only a key that was made with it, by its name: one that somebody has made with kubectl is his to delete.
  if (subscription.spec.secretRef.name === keySecretName(name)) {
    await unlessGone(
      client.delete(SECRETS, { namespace: installNamespace, name: keySecretName(name) }, { signal }),
    );
  }
  const about = { resource: WEBHOOK_SUBSCRIPTIONS.kind, namespace, name } as const;
  audit({ actor: principal, action: 'WebhookDeleted', ...about, outcome: 'allowed', sourceIp });
  return { status: 204 };
}

async function unlessGone(deletion: Promise<void>): Promise<void> {
  try {
    await deletion;
  } catch (error) {
    if (!isNotFound(error)) throw error;
  }
}
