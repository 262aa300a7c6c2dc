// SPDX-License-Identifier: Apache-2.0
import { Readable } from 'node:stream';
import type { Sandbox } from '@agenttier/crds/generated/types';
import { findCondition } from '@agenttier/crds/meta/conditions';
import { installLogName } from '@agenttier/crds/meta/names';
import { isNotFound } from '@agenttier/machinery/kube/errors';
import { CONFIG_MAPS } from '@agenttier/machinery/kube/resource';
import type { KubeObject } from '@agenttier/machinery/kube/resource';
import { findTarget } from '../../../cluster/target.ts';
import { refusals } from '../../errors.ts';
import type { Call, Reply } from '../../route.ts';
import { findFor } from '../../sandboxes/operations.ts';
import { modeOf } from '../../sandboxes/view.ts';
import { drop } from '../runtime.ts';
import type { ConfigureOptions } from './configure.ts';

/** How far a configuration is, and what is in force. */
export async function showConfiguration(options: ConfigureOptions, call: Call): Promise<Reply> {
  const sandbox = await findFor(options, call, 'configure');
  if (modeOf(sandbox) !== 'agent') throw refusals.noAgent(call.params['id'] ?? '');
  const { state = 'None', podUid: _pod, configHash: _hash, ...rest } = sandbox.status?.agentConfigure ?? {};
  const { reason = '', message = '' } = findCondition(sandbox.status?.conditions, 'Configured') ?? {};
  return { status: 200, body: { state, reason, message, ...rest } };
}

/** The end of the log of the last installation; with `?full=true` all of it, as long as the sandbox runs. */
export async function showInstallLog(options: ConfigureOptions, call: Call): Promise<Reply> {
  const sandbox = await findFor(options, call, 'configure');
  const whole = call.query.get('full') === 'true' ? await wholeLog(options, sandbox, call.signal) : undefined;
  if (whole) {
    return {
      status: 200,
      headers: { 'Content-Type': 'application/json; charset=utf-8' },
      stream: asJson(whole),
    };
  }
  const log = await keptLog(options, sandbox, call.signal);
  if (log === undefined) throw refusals.noInstallLog();
  return { status: 200, body: { log } };
}

interface ConfigMap extends KubeObject {
  readonly data?: Readonly<Record<string, string>>;
}

/** The ConfigMap must be this sandbox's own: anybody who may make one could give it that name. */
async function keptLog(
  { client }: ConfigureOptions,
  { metadata }: Sandbox,
  signal: AbortSignal,
): Promise<string | undefined> {
  const key = { namespace: metadata.namespace, name: installLogName(metadata.name ?? '') };
  const found = await client.get<ConfigMap>(CONFIG_MAPS, key, { signal }).catch((error: unknown) => {
    if (isNotFound(error)) return undefined;
    throw error;
  });
  const isOwn = found?.metadata.ownerReferences?.some(({ uid }) => uid === metadata.uid) ?? false;
  return isOwn ? found?.data?.['log'] : undefined;
}

async function wholeLog(
  { stores, runtime }: ConfigureOptions,
  sandbox: Sandbox,
  signal: AbortSignal,
): Promise<Readable | undefined> {
  const target = findTarget(stores, sandbox);
  if (target === undefined) return undefined;
  const request = { method: 'GET', path: '/install/log', signal } as const;
  const answer = await runtime.request(target, request).catch(() => undefined);
  if (answer?.status === 200) return answer.stream;
  if (answer) drop(answer);
  return undefined;
}

/** `{"log": …}` of a text that is not held in memory. Bytes that are no characters are replaced, so it is valid JSON. */
function asJson(text: Readable): Readable {
  return Readable.from(
    (async function* () {
      const decoder = new TextDecoder();
      yield '{"log":"';
      for await (const bytes of text as AsyncIterable<Buffer>)
        yield inside(decoder.decode(bytes, { stream: true }));
      yield `${inside(decoder.decode())}"}`;
    })(),
    { objectMode: false },
  );
}

const inside = (text: string): string => JSON.stringify(text).slice(1, -1);
