// SPDX-License-Identifier: Apache-2.0
import type { Sandbox } from '@agenttier/crds/generated/types';
import { LABEL_SANDBOX, LABEL_SANDBOX_UID, LABEL_SLOT } from '@agenttier/crds/meta/labels';
import { SANDBOXES } from '@agenttier/crds/meta/resources';
import { mayAct } from '@agenttier/crds/sandbox/access';
import type { KubeClient } from '@agenttier/machinery/kube/client';
import { isNotFound } from '@agenttier/machinery/kube/errors';
import { PODS } from '@agenttier/machinery/kube/resource';
import type { KubeObject, ObjectKey, Resource } from '@agenttier/machinery/kube/resource';
import type { ConnectMode, SystemAccounts } from '../config.ts';
import { actorOf, principalOf } from '../identity.ts';
import { ALLOW } from '../review.ts';
import type { AdmissionRequest, Handler, Verdict } from '../review.ts';

export interface ConnectOptions {
  readonly client: Pick<KubeClient, 'get'>;
  readonly accounts: SystemAccounts;
  readonly mode: ConnectMode;
  /** Told of each sandbox that somebody was let into; must not throw. */
  readonly used: (sandbox: Sandbox) => void;
}

async function read<T extends KubeObject>(
  client: Pick<KubeClient, 'get'>,
  resource: Resource,
  key: ObjectKey,
  signal: AbortSignal,
): Promise<T | undefined> {
  try {
    return await client.get<T>(resource, key, { signal });
  } catch (error) {
    if (isNotFound(error)) return undefined;
    throw error;
  }
}

function refused(request: AdmissionRequest, sandbox: Sandbox | undefined, audit: Verdict['audit']): Verdict {
  const field = `pods/${request.subResource ?? ''}`;
  const message = sandbox
    ? `pod ${request.name} belongs to sandbox ${sandbox.metadata.name}: only its owner, a collaborator or an administrator may enter it`
    : `pod ${request.name} is a sandbox's but that sandbox is gone: only an administrator may enter it`;
  return { violations: [{ code: 'not_owner', field, message }], ...(audit ? { audit } : {}) };
}

/** The sandbox that the labels name. A pod on its way out may outlive it, and somebody else's may have taken the name. */
async function sandboxOf(
  labels: Readonly<Record<string, string>>,
  namespace: string,
  client: Pick<KubeClient, 'get'>,
  signal: AbortSignal,
): Promise<Sandbox | undefined> {
  const name = labels[LABEL_SANDBOX];
  if (!name) return undefined;
  const found = await read<Sandbox>(client, SANDBOXES, { namespace, name }, signal);
  return found?.metadata.uid === labels[LABEL_SANDBOX_UID] ? found : undefined;
}

/** The labels of a pod that is ours. They are no part of a CONNECT request, so the pod is read, and live. */
async function ourLabels(
  key: ObjectKey,
  client: Pick<KubeClient, 'get'>,
  signal: AbortSignal,
): Promise<Readonly<Record<string, string>> | undefined> {
  const labels = (await read(client, PODS, key, signal))?.metadata.labels ?? {};
  return LABEL_SANDBOX in labels || LABEL_SLOT in labels ? labels : undefined;
}

/** The proxy path takes `name`, `name:port` and `scheme:name:port` (SplitSchemeNamePort of apimachinery). */
function podNameIn(name: string): string {
  const parts = name.split(':');
  return (parts.length === 3 ? parts[1] : parts[0]) ?? '';
}

async function judge(
  request: AdmissionRequest,
  { client, accounts, used }: ConnectOptions,
  signal: AbortSignal,
): Promise<Verdict> {
  const { namespace = '', name = '' } = request;
  const labels = await ourLabels({ namespace, name: podNameIn(name) }, client, signal);
  const actor = actorOf(principalOf(request.userInfo, accounts.operator));
  if (!labels) return ALLOW;
  const sandbox = await sandboxOf(labels, namespace, client, signal);
  const audit = { sandbox: `${namespace}/${labels[LABEL_SANDBOX]}` };
  const allowed = actor.admin || (sandbox !== undefined && mayAct(actor, sandbox.spec ?? {}, 'exec'));
  if (!allowed) return refused(request, sandbox, audit);
  if (sandbox !== undefined && request.dryRun !== true) used(sandbox);
  return { ...ALLOW, audit };
}

function undecided(error: unknown, options: ConnectOptions): Verdict {
  if (options.mode === 'strict') throw error;
  return {
    violations: [],
    warnings: ['AgentTier could not tell whose pod this is, and lets it pass (webhook.connect.mode Ignore)'],
    audit: { undecided: error instanceof Error ? error.name : 'Error' },
  };
}

/** `/validate/connect`: exec, attach, port-forward and proxy into a sandbox's pod are for those who may enter it. */
export function validateConnect(options: ConnectOptions): Handler {
  const ours = new Set([options.accounts.operator, options.accounts.router]);
  return async (request, signal): Promise<Verdict> => {
    if (request.operation !== 'CONNECT' || ours.has(request.userInfo.username ?? '')) return ALLOW;
    try {
      return await judge(request, options, signal);
    } catch (error) {
      signal.throwIfAborted();
      return undecided(error, options);
    }
  };
}
