// SPDX-License-Identifier: Apache-2.0
import type { Operations } from '@agenttier/client';
import type { Server } from './server.ts';

export type Usage = Operations['usageAnalytics']['answer'];
export type StartPath = keyof Usage['startup'];
export type Starts = Usage['startup'][StartPath];
export type Costs = Operations['costAnalytics']['answer'];

const within = (namespace: string) => ({ query: namespace === '' ? {} : { namespace } });

export const getUsage = ({ api }: Server, namespace: string, signal: AbortSignal): Promise<Usage> =>
  api.usageAnalytics(within(namespace), { signal });

export const getCosts = ({ api }: Server, namespace: string, signal: AbortSignal): Promise<Costs> =>
  api.costAnalytics(within(namespace), { signal });

/** A line for each sandbox, as CSV. */
export const exportCosts = ({ api }: Server, namespace: string): Promise<Response> =>
  api.exportCosts(within(namespace));
