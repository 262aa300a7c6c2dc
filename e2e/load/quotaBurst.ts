// SPDX-License-Identifier: Apache-2.0
import { setTimeout as pause } from 'node:timers/promises';
import { GOVERNANCE_POLICIES, POLICY_NAME, SANDBOXES } from '@agenttier/crds/meta/resources';
import type { KubeClient } from '@agenttier/machinery/kube/client';
import { isKubeError } from '@agenttier/machinery/kube/errors';
import { type KubeObject, NAMESPACES } from '@agenttier/machinery/kube/resource';
import { createOne } from './admissionLoad.ts';
import { timed } from './rest.ts';
import { metricOf, type Replica } from './webhookReplicas.ts';

type Counted = KubeObject & { readonly status?: { readonly used?: unknown } };

const WRITES = 'agenttier_quota_ledger_writes_total';

export interface Burst {
  readonly creates: number;
  readonly cap: number;
  readonly refused: number;
  readonly milliseconds: number;
  readonly ledgerWrites: number;
}

/** A namespace with a cap, once the operator's part has counted it. */
export async function cappedNamespace(client: KubeClient, namespace: string, cap: number): Promise<void> {
  await client.create(NAMESPACES, undefined, { metadata: { name: namespace } });
  await client.create(GOVERNANCE_POLICIES, namespace, {
    metadata: { name: POLICY_NAME },
    spec: { maxSandboxesTotal: cap },
  } as KubeObject);
  const deadline = performance.now() + 30_000;
  const counted = async (): Promise<boolean> => {
    const policy = await client.get<Counted>(GOVERNANCE_POLICIES, { namespace, name: POLICY_NAME });
    return policy.status?.used !== undefined;
  };
  while (!(await counted())) {
    if (performance.now() > deadline) throw new Error(`nobody counted the sandboxes of ${namespace}`);
    await pause(50);
  }
}

/** Writes of quota ledgers so far; undefined when these webhooks keep none. */
export async function ledgerWrites(replicas: readonly Replica[]): Promise<number | undefined> {
  const counts = await Promise.all(replicas.map((replica) => metricOf(replica, WRITES)));
  if (counts.every((count) => count === undefined)) return undefined;
  return counts.reduce<number>((sum, count) => sum + (count ?? 0), 0);
}

/** Many creates at the same moment against a cap that they fit under; undefined when the webhook keeps no ledger. */
export async function measureBurst(
  client: KubeClient,
  replicas: readonly Replica[],
  namespace: string,
  { creates, cap }: { readonly creates: number; readonly cap: number },
): Promise<Burst | undefined> {
  const before = await ledgerWrites(replicas);
  if (before === undefined) return undefined;
  await cappedNamespace(client, namespace, cap);
  let refused = 0;
  const milliseconds = await timed(() =>
    Promise.all(
      Array.from({ length: creates }, () =>
        createOne(client, SANDBOXES, namespace).catch((error: unknown) => {
          if (!isKubeError(error) || error.status !== 403) throw error;
          refused += 1;
        }),
      ),
    ),
  );
  const writes = ((await ledgerWrites(replicas)) ?? 0) - before;
  return { creates, cap, refused, milliseconds: Math.round(milliseconds), ledgerWrites: writes };
}
