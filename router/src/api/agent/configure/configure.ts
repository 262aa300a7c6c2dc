// SPDX-License-Identifier: Apache-2.0
import { randomUUID } from 'node:crypto';
import type { Sandbox } from '@agenttier/crds/generated/types';
import { FIELD_MANAGER_ROUTER } from '@agenttier/crds/meta/labels';
import { SANDBOXES } from '@agenttier/crds/meta/resources';
import type { KubeClient } from '@agenttier/machinery/kube/client';
import type { KubeObject } from '@agenttier/machinery/kube/resource';
import { impersonationOf } from '../../../auth/principal.ts';
import { eventStream } from '../../../sse/eventStream.ts';
import type { OutEvent } from '../../../sse/eventStream.ts';
import { toHttpError } from '../../errors.ts';
import type { Call, Reply } from '../../route.ts';
import { admitAgent } from '../admit.ts';
import type { Agent } from '../admit.ts';
import { configPatch, readConfiguration } from './configuration.ts';
import type { Configuration } from './configuration.ts';
import { ConfigureRecord } from './record.ts';
import { followInstallation } from './installation.ts';
import type { InvokeOptions } from '../invoke/invoke.ts';
import { receive } from './upload/receive.ts';

export interface ConfigureOptions extends InvokeOptions {
  readonly client: Pick<KubeClient, 'patch' | 'get'>;
}

/**
 * Configures an agent: its files go into the sandbox, and what they and the commands are is stored in the Sandbox in the
 * name of the person, so that admission asks the policy of now. The operator, which owns `status.agentConfigure`, has
 * the runtime install; the answer follows that, and its end is not the end of the installation.
 */
export async function configure(options: ConfigureOptions, call: Call): Promise<Reply> {
  const agent = await admitAgent(options, call, 'configure');
  const record = new ConfigureRecord(options, agent.sandbox, call);
  try {
    return await begin(options, call, { agent, record });
  } catch (error) {
    const problem = toHttpError(error);
    record.refused(problem.status >= 500 ? error : problem);
    throw error;
  }
}

interface Attempt {
  readonly agent: Agent;
  readonly record: ConfigureRecord;
}

async function begin(options: ConfigureOptions, call: Call, { agent, record }: Attempt): Promise<Reply> {
  const { sandbox, target } = agent;
  const { signal } = call;
  const store = storeOf(options, call, sandbox);
  // Before anything is uploaded: nobody whom the policy refuses brings a file into the sandbox.
  await store({ ...PROBE, hash: randomUUID() }, true);
  const { body, staged, fault } = await receive(call.stream, { runtime: options.runtime, target, signal });
  const configuration = readConfiguration({ body, staged }, sandbox.spec?.resolved?.spec);
  if (fault !== undefined) return eventStream(record.watch(unplaced(configuration, fault)));
  const before = latest(options, sandbox);
  const patched = await store(configPatch(configuration, before, randomUUID().slice(0, 8)), false);
  record.started();
  const isSame = isInForce(before, patched);
  const installation = followInstallation(options, { sandbox: patched, isSame, signal });
  return eventStream(record.watch(announced(configuration, isSame, installation)));
}

const latest = ({ stores }: ConfigureOptions, sandbox: Sandbox): Sandbox =>
  stores.sandboxes.get(sandbox.metadata.namespace, sandbox.metadata.name ?? '') ?? sandbox;

/** Nothing was changed, and what there was has been installed. */
const isInForce = ({ metadata, status }: Sandbox, patched: Sandbox): boolean =>
  patched.metadata.generation === metadata.generation &&
  status?.observedGeneration === metadata.generation &&
  status?.agentConfigure?.state === 'Ready';

/** Any configuration at all: what the policy is asked for is who, where and with which image, not what. */
const PROBE = { entrypoint: ['true'], installCommand: null, files: null } as const;

function storeOf({ client, stores }: ConfigureOptions, call: Call, sandbox: Sandbox) {
  const { namespace, name = '', uid } = sandbox.metadata;
  return async (agentConfig: object, dryRun: boolean): Promise<Sandbox & KubeObject> => {
    // The uid keeps it from a sandbox that was made anew under this name meanwhile.
    const body = { metadata: { uid }, spec: { agentConfig } };
    const { principal, signal } = call;
    const patched = await client.patch<Sandbox & KubeObject>(
      SANDBOXES,
      { namespace, name },
      { type: 'merge', body },
      { impersonate: impersonationOf(principal), fieldManager: FIELD_MANAGER_ROUTER, dryRun, signal },
    );
    if (!dryRun) stores.sandboxes.applyLocal(patched);
    return patched;
  };
}

const uploads = ({ files = [] }: Configuration): OutEvent[] =>
  files.map(({ path }) => line(`[configure] uploading ${path}`));

const line = (data: string): OutEvent => ({ event: 'log', data: { stream: 'stdout', data } });

async function* unplaced(configuration: Configuration, message: string): AsyncGenerator<OutEvent> {
  yield* uploads(configuration);
  yield { event: 'error', data: { phase: 'files', message } };
}

/** The steps that the installation itself does not print. */
async function* announced(
  configuration: Configuration,
  isSame: boolean,
  installation: AsyncIterable<OutEvent>,
): AsyncGenerator<OutEvent> {
  const { installCommand } = configuration;
  if (!isSame) {
    yield* uploads(configuration);
    if (installCommand) yield line(`[configure] running install: ${installCommand.join(' ')}`);
  }
  yield* installation;
}
