// SPDX-License-Identifier: Apache-2.0
import type { WebhookSubscription } from '@agenttier/crds/generated/types';

/** An incoming subscription whose metadata and spec are objects; before the schema is checked anything may arrive. */
export function subscriptionOf(object: unknown): WebhookSubscription | undefined {
  const found = object as Partial<WebhookSubscription> | null | undefined;
  const parts: unknown[] = [found?.metadata, found?.spec];
  const whole = parts.every((part) => typeof part === 'object' && part !== null && !Array.isArray(part));
  return whole ? (found as WebhookSubscription) : undefined;
}
