// SPDX-License-Identifier: Apache-2.0
import type { Operations, Sandbox as SandboxOnWire } from '@agenttier/client';
import type { Explanation } from '@agenttier/crds/explain/explanation';
import { problemOf } from './problem.ts';
import type { Server } from './server.ts';

export type { Explanation } from '@agenttier/crds/explain/explanation';

export type Phase = 'Creating' | 'Running' | 'Stopped' | 'Error' | 'Deleting';

export interface Sandbox extends Omit<SandboxOnWire, 'status' | 'mode'> {
  readonly status: Phase;
  readonly mode: 'code' | 'agent';
}

export type NewSandbox = Operations['createSandbox']['body'];
export type Created = Operations['createSandbox']['answer'];

/** One sandbox by its place: names repeat over namespaces. */
export interface SandboxKey {
  readonly sandboxId: string;
  readonly namespace: string;
}

/** How the client is told which sandbox is meant. */
export const placeOf = ({ sandboxId, namespace }: SandboxKey) => ({
  params: { id: sandboxId },
  query: namespace === '' ? {} : { namespace },
});

const PAGE = 500;

/** All that the person may see, over as many pages as it takes. */
export async function listSandboxes({ api }: Server, signal: AbortSignal): Promise<readonly Sandbox[]> {
  const found: Sandbox[] = [];
  let next: string | undefined;
  do {
    const page = await api.listSandboxes(
      { query: { limit: PAGE, ...(next ? { continue: next } : {}) } },
      { signal },
    );
    found.push(...(page.sandboxes as readonly Sandbox[]));
    next = page.continue;
  } while (next);
  return found;
}

export const getSandbox = ({ api }: Server, key: SandboxKey, signal: AbortSignal): Promise<Sandbox> =>
  api.getSandbox(placeOf(key), { signal }) as Promise<Sandbox>;

/** In a paragraph, why it is as it is. */
export async function whySandbox({ api }: Server, key: SandboxKey, signal: AbortSignal): Promise<string> {
  const { text } = await api.whySandbox(placeOf(key), { signal });
  return String(text);
}

/** Where each of its values comes from, and what bounds it. */
export const explainSandbox = async (
  { api }: Server,
  key: SandboxKey,
  signal: AbortSignal,
): Promise<Explanation> =>
  // The document of the API leaves open what is in it; the type is that of the router that writes it.
  (await api.explainSandbox(placeOf(key), { signal })) as unknown as Explanation;

export type SandboxChange = Operations['updateSandbox']['body'];
/** What takes effect at once and what at the next start. */
export type Changed = Operations['updateSandbox']['answer'];

export const updateSandbox = ({ api }: Server, key: SandboxKey, body: SandboxChange): Promise<Changed> =>
  api.updateSandbox({ ...placeOf(key), body });

/** What admission would say of a change, with nothing stored. Rejects with its violations like the change itself. */
export const tryUpdate = (
  { api }: Server,
  key: SandboxKey,
  body: SandboxChange,
  signal: AbortSignal,
): Promise<Changed> => {
  const { params, query } = placeOf(key);
  return api.updateSandbox({ params, query: { ...query, dryRun: true }, body }, { signal });
};

export const createSandbox = ({ api }: Server, body: NewSandbox): Promise<Created> =>
  api.createSandbox({ body });

/** What admission would say, with nothing stored. Rejects with its violations like the create itself. */
export const tryCreate = ({ api }: Server, body: NewSandbox, signal: AbortSignal): Promise<Created> =>
  api.createSandbox({ body, query: { dryRun: true } }, { signal });

export async function stopSandbox({ api }: Server, key: SandboxKey): Promise<void> {
  await api.stopSandbox(placeOf(key));
}

export async function resumeSandbox({ api }: Server, key: SandboxKey): Promise<void> {
  await api.resumeSandbox(placeOf(key));
}

export async function deleteSandbox({ api }: Server, key: SandboxKey): Promise<void> {
  await api.deleteSandbox(placeOf(key));
}

export type BulkAction = Operations['actOnSandboxes']['body']['action'];

/** How it went with one of many; without an error it was done. */
export interface BulkOutcome {
  readonly sandbox: Sandbox;
  readonly error?: string;
}

/** Most ids that the server takes in one request. */
const MOST_IN_BATCH = 100;

/** Does one thing to many; never rejects, since some may have been done when others fail. */
export async function actOnSandboxes(
  server: Server,
  action: BulkAction,
  sandboxes: readonly Sandbox[],
): Promise<readonly BulkOutcome[]> {
  const outcomes: BulkOutcome[] = [];
  // Names repeat over namespaces, so each request is about one.
  for (const [namespace, here] of Map.groupBy(sandboxes, (sandbox) => sandbox.namespace)) {
    for (let from = 0; from < here.length; from += MOST_IN_BATCH) {
      const batch = here.slice(from, from + MOST_IN_BATCH);
      outcomes.push(...(await actOnBatch(server, action, namespace, batch)));
    }
  }
  return outcomes;
}

async function actOnBatch(
  { api }: Server,
  action: BulkAction,
  namespace: string,
  batch: readonly Sandbox[],
): Promise<readonly BulkOutcome[]> {
  try {
    const ids = batch.map(({ sandboxId }) => sandboxId);
    const { results } = await api.actOnSandboxes({ body: { action, ids }, query: { namespace } });
    const errors = new Map(results.map(({ id, status, error = '' }) => [id, status === 'ok' ? '' : error]));
    return batch.map((sandbox) => outcomeOf(sandbox, errors.get(sandbox.sandboxId) ?? ''));
  } catch (error) {
    const { message } = problemOf(error);
    return batch.map((sandbox) => outcomeOf(sandbox, message));
  }
}

const outcomeOf = (sandbox: Sandbox, error: string): BulkOutcome => ({ sandbox, ...(error && { error }) });

/** A person says that the sandbox is in use: an automatic stop that is near is off. */
export async function markInUse({ api }: Server, key: SandboxKey): Promise<void> {
  await api.markSandboxInUse(placeOf(key));
}
