// SPDX-License-Identifier: Apache-2.0
import type { Sandbox } from '@agenttier/crds/generated/types';
import { SANDBOXES } from '@agenttier/crds/meta/resources';
import type { KubeClient } from '@agenttier/machinery/kube/client';
import type { KubeObject } from '@agenttier/machinery/kube/resource';
import { mayDo } from '../../auth/authorize.ts';
import type { Action } from '../../auth/authorize.ts';
import type { Stores } from '../../cluster/caches.ts';
import type { SandboxFinder } from '../../cluster/finder.ts';
import type { Found } from '../../cluster/lookup.ts';
import { resumeAs } from '../../cluster/wake.ts';
import type { Handlers } from '../contract.ts';
import type { Call, Reply } from '../route.ts';
import { refusals } from '../errors.ts';
import { isDryRun, removeAs, writeAs } from '../write.ts';
import { createMany } from './bulk.ts';
import { actOnMany } from './bulkAction.ts';
import { createSandbox } from './create.ts';
import { listSandboxes } from './list.ts';
import type { SandboxRows } from './rows.ts';
import { updateSandbox } from './update.ts';
import type { UpdateOptions } from './update.ts';
import { phaseOf, sandboxView, wantsToRun } from './view.ts';

export interface SandboxesOptions {
  readonly client: Pick<KubeClient, 'create' | 'get' | 'patch' | 'raw'>;
  readonly stores: Pick<Stores, 'sandboxes' | 'templates' | 'clusterTemplates'>;
  readonly podResize: UpdateOptions['podResize'];
  readonly finder: Pick<SandboxFinder, 'find' | 'reread'>;
  readonly rows: SandboxRows;
  /** The sandbox is being used. */
  readonly touch: (sandbox: Sandbox) => void;
  readonly defaultNamespace: string;
  readonly now?: () => number;
}

interface FinderOption {
  readonly finder: Pick<SandboxFinder, 'find'>;
}

type Operations = Pick<
  Handlers,
  | 'createSandbox'
  | 'createSandboxes'
  | 'actOnSandboxes'
  | 'listSandboxes'
  | 'getSandbox'
  | 'updateSandbox'
  | 'deleteSandbox'
  | 'stopSandbox'
  | 'resumeSandbox'
  | 'markSandboxInUse'
>;

/** Sandbox life cycle. Reads come from the watch cache; writes are made as the caller and admission has the say. */
export function sandboxOperations(options: SandboxesOptions): Operations {
  return {
    createSandbox: (call) => createSandbox(options, call),
    createSandboxes: (call) => createMany(options, call),
    actOnSandboxes: (call) =>
      actOnMany(call, {
        stop: (one) => stop(options, one),
        resume: (one) => resume(options, one),
        delete: (one) => remove(options, one),
      }),
    listSandboxes: (call) => listSandboxes(options, call),
    getSandbox: async (call) => ({ status: 200, body: sandboxView(await findFor(options, call, 'read')) }),
    updateSandbox: async (call) => updateSandbox(options, call, await findFor(options, call, 'edit')),
    deleteSandbox: (call) => remove(options, call),
    stopSandbox: (call) => stop(options, call),
    resumeSandbox: (call) => resume(options, call),
    markSandboxInUse: async (call) => {
      options.touch(await findFor(options, call, 'terminal'));
      return { status: 204 };
    },
  };
}

/** The sandbox of the path, if the caller may do that to it. */
export async function findFor(
  options: FinderOption,
  call: Pick<Call, 'params' | 'query' | 'principal'>,
  action: Action,
): Promise<Sandbox> {
  return (await admitTo(options, call, action)).sandbox;
}

/** The same, with the caller's standing. */
export async function admitTo(
  { finder }: FinderOption,
  call: Pick<Call, 'params' | 'query' | 'principal'>,
  action: Action,
): Promise<Found> {
  const query = { id: call.params['id'] ?? '', namespace: call.query.get('namespace') ?? undefined };
  const found = await finder.find(query, call.principal);
  if (mayDo(found.role, action)) return found;
  if (action === 'exec') throw refusals.viewOnly('run commands');
  if (action === 'readFiles' || action === 'writeFiles') throw refusals.viewOnly('open files');
  throw action === 'clone' ? refusals.viewOnly('copy what is') : refusals.roleTooLow(action);
}

async function remove(options: SandboxesOptions, call: Call): Promise<Reply> {
  const sandbox = await findFor(options, call, 'delete');
  const { namespace, name = '', uid = '' } = sandbox.metadata;
  const left = await removeAs(options.client, call, { resource: SANDBOXES, key: { namespace, name }, uid });
  // With a finalizer the answer is the object on its way out; without, a Status.
  const body = left as Sandbox | undefined;
  if (body?.kind === 'Sandbox' && !isDryRun(call)) options.stores.sandboxes.applyLocal(body);
  return { status: 204 };
}

async function stop(options: SandboxesOptions, call: Call): Promise<Reply> {
  const sandbox = await findInPhase(options, call, 'stop', (found) => {
    const phase = phaseOf(found);
    return phase === 'Running' || phase === 'Creating' ? undefined : `${phase}, not Running`;
  });
  await patch(options, call, sandbox, { spec: { desiredState: 'Stopped' } });
  return { status: 200, body: { status: 'stopping' } };
}

/** Also while a stop is still under way: the wish is level-triggered, the operator waits for the old pod by itself. */
async function resume(options: SandboxesOptions, call: Call): Promise<Reply> {
  const sandbox = await findInPhase(options, call, 'resume', (found) => {
    const phase = phaseOf(found);
    const stopping = phase !== 'Deleting' && !wantsToRun(found);
    return phase === 'Stopped' || phase === 'Error' || stopping
      ? undefined
      : `${phase}, not Stopped or Error`;
  });
  await resumeAs(options, sandbox, call.principal, { signal: call.signal, dryRun: isDryRun(call) });
  return { status: 200, body: { status: 'resuming' } };
}

/**
 * The sandbox of the path, unless `unfit` says of it why it cannot be asked for that now. A wish that went through another
 * replica a moment ago may not be in this one's cache, so only the API server's own word is reason to refuse.
 */
async function findInPhase(
  options: SandboxesOptions,
  call: Call,
  action: Action,
  unfit: (sandbox: Sandbox) => string | undefined,
): Promise<Sandbox> {
  const cached = await findFor(options, call, action);
  if (unfit(cached) === undefined) return cached;
  const sandbox = await options.finder.reread(cached);
  const why = unfit(sandbox);
  if (why !== undefined) throw refusals.wrongPhase(`sandbox ${sandbox.metadata.name} is ${why}`);
  return sandbox;
}

async function patch(options: SandboxesOptions, call: Call, sandbox: Sandbox, change: object): Promise<void> {
  const { namespace, name = '', uid } = sandbox.metadata;
  const metadata = { ...(change as { metadata?: object }).metadata, uid };
  const patched = await options.client.patch<Sandbox & KubeObject>(
    SANDBOXES,
    { namespace, name },
    { type: 'merge', body: { ...change, metadata } },
    writeAs(call),
  );
  if (!isDryRun(call)) options.stores.sandboxes.applyLocal(patched);
}
