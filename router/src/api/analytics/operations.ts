// SPDX-License-Identifier: Apache-2.0
import { Readable } from 'node:stream';
import type { Sandbox } from '@agenttier/crds/generated/types';
import { visibleSandboxes } from '../../cluster/lookup.ts';
import type { Stores } from '../../cluster/caches.ts';
import type { Overview } from '../../cluster/overview.ts';
import type { Handlers } from '../contract.ts';
import type { Call } from '../route.ts';
import { costsOf, costSummary } from './costs.ts';
import type { SandboxCost } from './costs.ts';
import { csvOf } from './csv.ts';
import type { CostRates } from './rates.ts';
import { usageOf } from './usage.ts';

export interface AnalyticsOptions {
  readonly stores: Pick<Stores, 'sandboxes'>;
  readonly overview: Pick<Overview, 'look'>;
  readonly rates: CostRates;
  readonly now?: () => number;
}

const COLUMNS = [
  'namespace',
  'sandbox',
  'user',
  'template',
  'running',
  'cpu',
  'memory_gib',
  'storage_gib',
  'hours_run',
  'hourly_compute',
  'hourly_storage',
  'cost_to_date',
] as const satisfies readonly (keyof SandboxCost)[];

/** Figures about all sandboxes, for administrators, from caches. */
export function analyticsOperations(
  options: AnalyticsOptions,
): Pick<Handlers, 'usageAnalytics' | 'costAnalytics' | 'exportCosts'> {
  return {
    usageAnalytics: (call) => ({ status: 200, body: usageOf(sandboxesIn(options, call)) }),
    costAnalytics: async (call) => {
      const body = costSummary(await costs(options, call), options.rates);
      return { status: 200, body };
    },
    exportCosts: async (call) => {
      const table = csvOf<SandboxCost>(COLUMNS, await costs(options, call));
      const headers = {
        'Content-Type': 'text/csv; charset=utf-8',
        'Content-Disposition': 'attachment; filename="agenttier-costs.csv"',
      };
      return { status: 200, stream: Readable.from([table]), headers };
    },
  };
}

/** Of an administrator's key that reaches a few namespaces only those. */
function sandboxesIn({ stores }: AnalyticsOptions, { principal, query }: Call): readonly Sandbox[] {
  const namespace = query.get('namespace');
  return visibleSandboxes(stores.sandboxes, principal).filter(
    ({ metadata }) => !namespace || metadata.namespace === namespace,
  );
}

async function costs(options: AnalyticsOptions, call: Call): Promise<SandboxCost[]> {
  const view = await options.overview.look(call.signal);
  const sandboxes = sandboxesIn(options, call);
  const cluster = { sandboxes, pods: view.pods.list(), claims: view.claims.list() };
  return costsOf(cluster, options.rates, (options.now ?? Date.now)());
}
