// SPDX-License-Identifier: Apache-2.0
import { compareQuantity } from '@agenttier/crds/meta/quantity';
import type { Container, EnvVar, ResourceAmounts } from '../core.ts';

export const EPHEMERAL_LIMIT = '2Gi';
/** Without a request of its own the limit would count as one and fill nodes with 2 GiB promises. */
export const EPHEMERAL_REQUEST = '64Mi';

/** Requests and limits with a bound on what may be written to the node's disk. */
export function resourcesOf({ requests, limits }: ResourceAmounts = {}): NonNullable<Container['resources']> {
  const limit = limits?.['ephemeral-storage'] ?? EPHEMERAL_LIMIT;
  const small = (compareQuantity(String(limit), EPHEMERAL_REQUEST) ?? 0) < 0;
  return {
    requests: { 'ephemeral-storage': small ? limit : EPHEMERAL_REQUEST, ...requests },
    limits: { ...limits, 'ephemeral-storage': limit },
  };
}

interface Variable {
  readonly name: string;
  readonly value?: string;
  readonly valueFrom?: {
    readonly secretKeyRef?: { readonly name: string; readonly key: string; readonly optional?: boolean };
  };
}

/** Variables with a value, or from a Secret; no other source is handed on. */
export function environment(variables: readonly Variable[]): EnvVar[] {
  return variables.map(({ name, value, valueFrom }) => {
    const secretKeyRef = valueFrom?.secretKeyRef;
    return secretKeyRef ? { name, valueFrom: { secretKeyRef } } : { name, value: value ?? '' };
  });
}
