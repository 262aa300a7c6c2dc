// SPDX-License-Identifier: Apache-2.0
import type { KubeClient } from '../kube/client.ts';
import { isNotFound } from '../kube/errors.ts';
import { MUTATING_WEBHOOK_CONFIGURATIONS, VALIDATING_WEBHOOK_CONFIGURATIONS } from '../kube/resource.ts';
import type { KubeObject, Resource } from '../kube/resource.ts';

/** Names of the webhook configurations whose caBundle we keep. */
export interface WebhookNames {
  readonly mutating?: readonly string[] | undefined;
  readonly validating?: readonly string[] | undefined;
}

export interface WebhookConfiguration extends KubeObject {
  readonly webhooks?: readonly {
    readonly name: string;
    readonly clientConfig?: { readonly caBundle?: string };
  }[];
}

export interface FoundConfiguration {
  readonly resource: Resource;
  readonly object: WebhookConfiguration;
}

/** The configurations that exist; a chart may create them before or after the server starts. */
export async function readConfigurations(
  client: Pick<KubeClient, 'get'>,
  names: WebhookNames,
  signal?: AbortSignal,
): Promise<FoundConfiguration[]> {
  const wanted: [Resource, string][] = [
    ...(names.mutating ?? []).map((name): [Resource, string] => [MUTATING_WEBHOOK_CONFIGURATIONS, name]),
    ...(names.validating ?? []).map((name): [Resource, string] => [VALIDATING_WEBHOOK_CONFIGURATIONS, name]),
  ];
  const found: FoundConfiguration[] = [];
  for (const [resource, name] of wanted) {
    try {
      found.push({
        resource,
        object: await client.get<WebhookConfiguration>(resource, { name }, { signal }),
      });
    } catch (error) {
      if (!isNotFound(error)) throw error;
    }
  }
  return found;
}

/** Whether every webhook of the configuration trusts exactly this bundle. */
export function carries({ object }: FoundConfiguration, bundle: string): boolean {
  const encoded = encode(bundle);
  return (object.webhooks ?? []).every((webhook) => webhook.clientConfig?.caBundle === encoded);
}

/**
 * Writes the bundle into every webhook of the configuration by server-side apply: `webhooks` merges by name, so the
 * fields of whoever installed the configuration stay theirs. Guarded by the version that was read: a replica with an
 * outdated bundle gets 409 instead of undoing the write of one that knows better.
 */
export async function publish(
  client: Pick<KubeClient, 'apply'>,
  found: FoundConfiguration,
  options: {
    readonly bundle: string;
    readonly fieldManager: string;
    readonly signal?: AbortSignal | undefined;
  },
): Promise<void> {
  const { name, resourceVersion } = found.object.metadata;
  const webhooks = (found.object.webhooks ?? []).map((webhook) => ({
    name: webhook.name,
    clientConfig: { caBundle: encode(options.bundle) },
  }));
  const body = {
    metadata: { ...(name ? { name } : {}), ...(resourceVersion ? { resourceVersion } : {}) },
    webhooks,
  };
  const { fieldManager, signal } = options;
  await client.apply<WebhookConfiguration>(found.resource, body, { fieldManager, force: true, signal });
}

const encode = (bundle: string): string => Buffer.from(bundle).toString('base64');
