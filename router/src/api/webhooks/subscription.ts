// SPDX-License-Identifier: Apache-2.0
import { randomBytes } from 'node:crypto';
import type { WebhookSubscription, WebhookSubscriptionSpec } from '@agenttier/crds/generated/types';
import { EVENT_TYPES } from '@agenttier/crds/subscription/eventTypes';
import type { EventType } from '@agenttier/crds/subscription/eventTypes';
import {
  ANNOTATION_SUBSCRIPTION,
  API_VERSION,
  LABEL_SECRET_PURPOSE,
  SECRET_PURPOSES,
} from '@agenttier/crds/meta/labels';
import { WEBHOOK_SUBSCRIPTIONS } from '@agenttier/crds/meta/resources';
import type { KubeObject } from '@agenttier/machinery/kube/resource';
import type { Secret } from '../../cluster/shapes.ts';
import { refusals } from '../errors.ts';

export type Subscription = WebhookSubscription & KubeObject;

/** What is asked for, with the scope that the caller may ask for. */
export type Wish = Pick<WebhookSubscriptionSpec, 'url' | 'scope' | 'sandbox'> & {
  readonly eventTypes: readonly EventType[];
};

/** Throws 400 for types that nobody ever sends: a subscription to them would wait for ever. */
export function eventTypesIn(given: readonly string[]): EventType[] {
  const known: readonly string[] = EVENT_TYPES;
  const unknown = given.flatMap((type, i) =>
    known.includes(type)
      ? []
      : [
          {
            field: `eventTypes[${i}]`,
            message: `is ${type}, which is never sent: choose of ${EVENT_TYPES.join(', ')}`,
          },
        ],
  );
  if (unknown.length > 0) throw refusals.invalidFields(unknown);
  return [...new Set(given as EventType[])];
}

export const newId = (): string => randomBytes(16).toString('hex');

/** Secret with the signing key of a subscription that this process made. */
export const keySecretName = (id: string): string => `agenttier-webhook-${id}`;

export const newSigningKey = (): string => randomBytes(32).toString('base64url');

export function subscriptionObject(id: string, namespace: string, wish: Wish): Subscription {
  return {
    apiVersion: API_VERSION,
    kind: WEBHOOK_SUBSCRIPTIONS.kind,
    metadata: { name: id, namespace },
    spec: { ...wish, secretRef: { name: keySecretName(id) } },
  };
}

/** The operator signs with it only for the subscription that the annotation names. */
export function signingKeyObject(id: string, namespace: string, install: string, key: string): Secret {
  return {
    metadata: {
      name: keySecretName(id),
      namespace: install,
      labels: { [LABEL_SECRET_PURPOSE]: SECRET_PURPOSES.webhookSubscription },
      annotations: { [ANNOTATION_SUBSCRIPTION]: `${namespace}/${id}` },
    },
    data: { secret: Buffer.from(key).toString('base64') },
  };
}

export function subscriptionView({ metadata, spec, status = {} }: Subscription): object {
  const { name = '', namespace = '', creationTimestamp: createdAt = '' } = metadata;
  const { url, eventTypes = EVENT_TYPES, scope = 'Own', sandbox } = spec;
  return {
    id: name,
    url,
    eventTypes,
    createdAt,
    disabled: isDisabled(spec, status),
    ...(status.disabledReason ? { disabledReason: status.disabledReason } : {}),
    scope,
    ...(sandbox ? { sandboxId: sandbox } : {}),
    namespace,
  };
}

const isDisabled = (spec: WebhookSubscriptionSpec, status: NonNullable<Subscription['status']>): boolean =>
  spec.disabled === true || status.state === 'Disabled';
