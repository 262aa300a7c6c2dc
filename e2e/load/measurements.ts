// SPDX-License-Identifier: Apache-2.0
import { createKubeClient, type KubeClient } from '@agenttier/machinery/kube/client';
import { loadAccess } from '@agenttier/machinery/kube/kubeconfig';
import { measureHandler, measureRequests } from './admission.ts';
import { measureBarePod } from './barePod.ts';
import { measureEcho, measureKubectlEcho } from './echo.ts';
import { measureFiles } from './files.ts';
import { measureFrames } from './frames.ts';
import { measureIdleTerminals } from './idleTerminals.ts';
import { measureInvoke } from './invoke.ts';
import { measureKubectlRun } from './kubectlRun.ts';
import { measureExec, measureLifecycle, measureTogether } from './lifecycle.ts';
import { measureListing } from './listing.ts';
import { measureMemory } from './memory.ts';
import { measureOutput } from './output.ts';
import { measurePage } from './page.ts';
import { measurePageSize } from './pageSize.ts';
import { measureReconnect } from './reconnect.ts';
import { create, remove, type Target, untilStatus } from './rest.ts';
import { measureSmooth } from './smooth.ts';
import type { Figure } from './stats.ts';
import { measureWarm } from './warm.ts';

/** How often, how many and how much. */
export interface Amounts {
  readonly rounds: number;
  readonly warmRounds: number;
  readonly calls: number;
  /** Calls of programs that take a tenth of a second and more. */
  readonly slowCalls: number;
  readonly transfers: number;
  readonly megabytes: number;
  readonly mebibytes: number;
  readonly terminals: number;
  readonly kills: number;
  /** How long the memory of a page is looked at. */
  readonly minutes: number;
}

/** What measurements share: made when the first asks, gone when the last is done. */
export class Bench {
  readonly target: Target;
  readonly amounts: Amounts;
  readonly restOnly: boolean;
  /** What was measured before something failed is kept: a run takes ten minutes. */
  readonly figures: Figure[] = [];
  #client: KubeClient | undefined;
  #standing: string | undefined;

  constructor(target: Target, amounts: Amounts, restOnly: boolean) {
    this.target = target;
    this.amounts = amounts;
    this.restOnly = restOnly;
  }

  async client(): Promise<KubeClient> {
    this.#client ??= createKubeClient(await loadAccess({ env: process.env }));
    return this.#client;
  }

  /** A sandbox that runs. */
  async standing(): Promise<string> {
    if (this.#standing !== undefined) return this.#standing;
    this.#standing = `bench-standing-${Date.now().toString(36)}`;
    await create(this.target, this.#standing);
    await untilStatus(this.target, this.#standing, 'Running');
    return this.#standing;
  }

  add(...figures: readonly Figure[]): void {
    this.figures.push(...figures);
  }

  async close(): Promise<void> {
    if (this.#standing !== undefined) await remove(this.target, this.#standing);
    await this.#client?.close();
  }
}

export interface Measurement {
  readonly name: string;
  /** It asks the cluster, and `kubectl`, and not the router alone. */
  readonly byCluster: boolean;
  readonly run: (bench: Bench) => Promise<void>;
}

const byRest = (name: string, run: Measurement['run']): Measurement => ({ name, byCluster: false, run });
const byCluster = (name: string, run: Measurement['run']): Measurement => ({ name, byCluster: true, run });

/** In this order: what loads the routers or kills them comes after what asks for their memory. */
export const MEASUREMENTS: readonly Measurement[] = [
  byRest('lifecycle', async (b) => b.add(...(await measureLifecycle(b.target, b.amounts.rounds)))),
  byRest('together', async (b) => b.add(await measureTogether(b.target, 20, 3))),
  byRest('exec', async (b) => {
    b.add(await measureExec(b.target, await b.standing(), b.amounts.calls));
    if (!b.restOnly) b.add(await measureKubectlRun(b.target, await b.standing(), b.amounts.slowCalls));
  }),
  byRest('echo', async (b) => {
    b.add(await measureEcho(b.target, await b.standing(), b.amounts.calls));
    if (!b.restOnly) b.add(await measureKubectlEcho(b.target, await b.standing(), b.amounts.calls));
  }),
  byRest('listing', async (b) => b.add(...(await measureListing(b.target, b.amounts.calls)))),
  byCluster('bare-pod', async (b) => {
    const name = await b.standing();
    const model = { namespace: b.target.namespace, name: `${name}-pod`, claim: `${name}-workspace` };
    b.add(await measureBarePod(await b.client(), model, b.amounts.rounds));
  }),
  byCluster('admission', async (b) => {
    b.add(await measureHandler(await b.client(), b.target.template, b.amounts.calls));
    b.add(...(await measureRequests(await b.client(), b.target.template, b.amounts.calls)));
  }),
  byCluster('memory', async (b) =>
    b.add(...(await measureMemory(await b.client(), b.target, await b.standing()))),
  ),
  byCluster('warm', async (b) => measureWarm(await b.client(), b.target, b.amounts.warmRounds, b.figures)),
  byCluster('invoke', async (b) =>
    b.add(await measureInvoke(await b.client(), b.target, b.amounts.slowCalls)),
  ),
  byCluster('output', async (b) => {
    const { megabytes, transfers: rounds } = b.amounts;
    b.add(...(await measureOutput(b.target, await b.standing(), { megabytes, rounds })));
  }),
  byCluster('files', async (b) => {
    const { mebibytes, transfers: rounds } = b.amounts;
    b.add(...(await measureFiles(b.target, { mebibytes, rounds })));
  }),
  byCluster('idle', async (b) =>
    b.add(await measureIdleTerminals(await b.client(), b.target, b.amounts.terminals)),
  ),
  byRest('page-size', async (b) => b.add(await measurePageSize(b.target))),
  byCluster('page', async (b) =>
    b.add(...(await measurePage(b.target, { loads: 7, keys: b.amounts.slowCalls }))),
  ),
  byCluster('frames', async (b) => b.add(...(await measureFrames(b.target)))),
  byCluster('smooth', async (b) => b.add(...(await measureSmooth(b.target, b.amounts.minutes)))),
  byCluster('reconnect', async (b) =>
    b.add(await measureReconnect(await b.client(), b.target, await b.standing(), b.amounts.kills)),
  ),
];

/** The measurements that were asked for, in their order; all of them when none is named. */
export function chosen(only: string | undefined, restOnly: boolean): readonly Measurement[] {
  const names = (only ?? '').split(',').filter((name) => name !== '');
  const known = MEASUREMENTS.map(({ name }) => name);
  const unknown = names.filter((name) => !known.includes(name));
  if (unknown.length > 0)
    throw new Error(`--only knows ${known.join(', ')}; it does not know ${unknown.join(', ')}`);
  return MEASUREMENTS.filter(
    ({ name, byCluster: needsCluster }) =>
      (names.length === 0 || names.includes(name)) && !(restOnly && needsCluster),
  );
}
