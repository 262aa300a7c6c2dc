// SPDX-License-Identifier: Apache-2.0
import { Type } from 'typebox';
import type { Route } from '../route.ts';
import { NamespaceQuery, Text } from '../schemas.ts';

const TAG = 'Analytics';

const Counts = Type.Record(Type.String(), Type.Integer());
const Spread = {
  count: Type.Integer(),
  p50_ms: Type.Number(),
  p95_ms: Type.Number(),
  p99_ms: Type.Number(),
};
const Starts = Type.Object({ ...Spread, phases: Type.Record(Type.String(), Type.Object(Spread)) });
const Line = { hourly_cost: Type.Number(), cost_to_date: Type.Number(), count: Type.Integer() };

export const analyticsRoutes = [
  {
    method: 'get',
    path: '/analytics/usage',
    operation: 'usageAnalytics',
    tag: TAG,
    summary: 'Counts sandboxes by state and template, and tells how long starts took, by path and phase.',
    admin: true,
    query: NamespaceQuery,
    answers: {
      200: Type.Object({
        total_sandboxes: Type.Integer(),
        status_breakdown: Counts,
        template_breakdown: Counts,
        avg_startup_ms: Type.Integer(),
        startup_sample_count: Type.Integer(),
        startup: Type.Object({ warm: Starts, cold: Starts, resume: Starts }),
      }),
    },
  },
  {
    method: 'get',
    path: '/analytics/costs',
    operation: 'costAnalytics',
    tag: TAG,
    summary: 'Estimates what sandboxes cost, by the rates of the chart.',
    admin: true,
    query: NamespaceQuery,
    answers: {
      200: Type.Object({
        currency: Text,
        rates: Type.Object({
          cpu_hour: Type.Number(),
          memory_gib_hour: Type.Number(),
          storage_gib_month: Type.Number(),
        }),
        running_sandboxes: Type.Integer(),
        stopped_sandboxes: Type.Integer(),
        total_hourly_compute: Type.Number(),
        total_hourly_storage: Type.Number(),
        total_estimated_monthly: Type.Number(),
        total_cost_to_date: Type.Number(),
        per_template: Type.Array(Type.Object({ template: Text, ...Line })),
        per_user: Type.Array(Type.Object({ user: Text, ...Line })),
        per_namespace: Type.Array(Type.Object({ namespace: Text, ...Line })),
      }),
    },
  },
  {
    method: 'get',
    path: '/analytics/costs.csv',
    operation: 'exportCosts',
    tag: TAG,
    summary: 'The same as a table for spreadsheets, a line for each sandbox.',
    admin: true,
    query: NamespaceQuery,
    answers: { 200: 'bytes' },
  },
] as const satisfies readonly Route[];
