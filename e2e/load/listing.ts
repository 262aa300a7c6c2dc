// SPDX-License-Identifier: Apache-2.0
import { Agent, request } from 'node:http';
import { call, type Target, timed } from './rest.ts';
import { type Figure, figure } from './stats.ts';

const SANDBOXES = 1000;
const BATCH = 100;

/**
 * How long a list of a thousand sandboxes takes, whole, by the page and when nothing has changed. They are created
 * stopped, so that they cost the node nothing.
 */
export const measureListing = (target: Target, calls: number): Promise<Figure[]> =>
  withThousand(target, () => measured(target, calls));

/** A thousand sandboxes while something is measured; gone when it is done. */
export async function withThousand<T>(
  target: Target,
  work: (ids: readonly string[]) => Promise<T>,
): Promise<T> {
  const names = Array.from({ length: SANDBOXES }, (_, i) => `bench-list-${i}`);
  const stamp = Date.now().toString(36);
  const ids = names.map((name) => `${name}-${stamp}`);
  try {
    await inBatches(ids, (batch) => createAll(target, batch));
    return await work(ids);
  } finally {
    const remove = (batch: readonly string[]): Promise<unknown> =>
      call(target, 'POST', `/sandboxes/bulk-action?namespace=${target.namespace}`, {
        action: 'delete',
        ids: batch,
      });
    await inBatches(ids, remove);
  }
}

async function inBatches(
  ids: readonly string[],
  work: (batch: readonly string[]) => Promise<unknown>,
): Promise<void> {
  for (let at = 0; at < ids.length; at += BATCH) await work(ids.slice(at, at + BATCH));
}

async function createAll(target: Target, names: readonly string[]): Promise<void> {
  const items = names.map((name) => ({
    name,
    namespace: target.namespace,
    templateRef: { name: target.template, kind: 'ClusterSandboxTemplate' },
    desiredState: 'Stopped',
  }));
  const { results } = (await call(target, 'POST', '/sandboxes/bulk', { items })) as {
    results: readonly { readonly status: string; readonly error?: string }[];
  };
  const failed = results.find(({ status }) => status !== 'created');
  if (failed) throw new Error(`a sandbox for the list could not be created: ${failed.error}`);
}

async function measured(target: Target, calls: number): Promise<Figure[]> {
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  const get = (query: string, etag?: string) => fetchAll(agent, target, { query, etag });
  const { etag } = await get('');
  const how = `${SANDBOXES} sandboxes, one connection, until the last byte`;
  const several = async (name: string, work: () => Promise<unknown>, method: string): Promise<Figure> => {
    const values: number[] = [];
    for (let i = 0; i < calls; i++) values.push(await timed(work));
    return figure(name, values, method);
  };
  const figures = [
    await several('list of 1,000', () => get(''), how),
    await several('page of 50 of 1,000', () => get('&limit=50'), how),
    await several('list of 1,000, unchanged', () => get('', etag), `${how}, If-None-Match`),
  ];
  agent.destroy();
  return figures;
}

interface Asked {
  readonly query: string;
  readonly etag?: string | undefined;
}

/** Without the client's parsing: that is not the router's time. */
function fetchAll(
  agent: Agent,
  target: Target,
  { query, etag }: Asked,
): Promise<{ etag: string | undefined }> {
  const url = `${target.url}/api/v1/sandboxes?namespace=${target.namespace}${query}`;
  const headers = { 'X-API-Key': target.key, ...(etag ? { 'If-None-Match': etag } : {}) };
  return new Promise((resolve, reject) => {
    const sent = request(url, { agent, headers }, (answer) => {
      if (answer.statusCode !== 200 && answer.statusCode !== 304) {
        reject(new Error(`the list answered ${answer.statusCode}`));
      }
      answer.resume();
      answer.on('end', () => resolve({ etag: answer.headers.etag }));
    });
    sent.on('error', reject);
    sent.end();
  });
}
