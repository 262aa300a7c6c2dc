// SPDX-License-Identifier: Apache-2.0
import type { ExecRequest, RuntimeClient, Transport } from '../../cluster/runtimeClient.ts';
import { RuntimeLost, RuntimeRefused, RuntimeUnreachable } from '../../cluster/runtimeErrors.ts';
import type { Target } from '../../cluster/target.ts';
import type { Stores } from '../../cluster/caches.ts';
import type { SandboxFinder } from '../../cluster/finder.ts';
import { awaitTarget } from '../../cluster/awaitTarget.ts';
import type { Wake } from '../../cluster/wake.ts';
import type { Handlers } from '../contract.ts';
import type { Call, Reply } from '../route.ts';
import { detach, endDetached, getDetached, stream, TRANSPORT } from './ways.ts';
import { readExec, wantsStream } from './request.ts';
import { refusals } from '../errors.ts';
import { admitTo } from '../sandboxes/operations.ts';
import type { SandboxAudit } from '../../audit.ts';
import type { Sandbox } from '@agenttier/crds/generated/types';

export interface ExecOptions {
  readonly stores: Pick<Stores, 'sandboxes' | 'pods' | 'keys'>;
  readonly finder: Pick<SandboxFinder, 'find'>;
  readonly wake: Wake;
  readonly runtime: Pick<RuntimeClient, 'request' | 'exec'>;
  /** The sandbox is being used. */
  readonly touch: (sandbox: Sandbox) => void;
  readonly audit: SandboxAudit;
  readonly observe: (outcome: 'ok' | 'timeout' | 'error', transport: string, seconds: number) => void;
}

type Operations = Pick<Handlers, 'execInSandbox' | 'getExec' | 'endExec'>;

export function execOperations(options: ExecOptions): Operations {
  return {
    execInSandbox: (call) => exec(options, call),
    getExec: async (call) => getDetached(options.runtime, await enter(options, call), call),
    endExec: async (call) => endDetached(options.runtime, await enter(options, call), call),
  };
}

/** The pod of a running sandbox; one that sleeps has no commands to ask for. */
async function enter(options: ExecOptions, call: Call): Promise<Target> {
  const { sandbox } = await admitTo(options, call, 'exec');
  return awaitTarget(options.stores, sandbox, { signal: call.signal });
}

async function exec(options: ExecOptions, call: Call): Promise<Reply> {
  const request = readExec(call.body);
  const sandbox = await options.wake(await admitTo(options, call, 'exec'), call);
  const target = await awaitTarget(options.stores, sandbox, { signal: call.signal });
  options.touch(sandbox);
  const { principal, sourceIp } = call;
  const audited = (outcome: 'allowed' | 'failed', reason?: string): void =>
    options.audit(sandbox, {
      action: 'ExecRun',
      principal,
      sourceIp,
      outcome,
      reason,
      note: 'A command was run',
    });
  const started = performance.now();
  const seconds = (): number => (performance.now() - started) / 1000;
  try {
    const { reply, transport, reason } = await runOne(options, target, request, call);
    reply.stream?.once('close', () => options.touch(sandbox));
    options.observe(reason === 'TimedOut' ? 'timeout' : 'ok', transport, seconds());
    audited('allowed', reason);
    return reply;
  } catch (error) {
    options.observe('error', 'none', seconds());
    audited('failed');
    throw worded(error);
  } finally {
    // A long command is use until its end, not only at its start.
    options.touch(sandbox);
  }
}

interface Ran {
  readonly reply: Reply;
  readonly transport: Transport;
  readonly reason?: string | undefined;
}

async function runOne(
  { runtime }: ExecOptions,
  target: Target,
  request: ExecRequest,
  { body, headers, signal }: Call,
): Promise<Ran> {
  if (request.detach) {
    const reply = await detach(runtime, target, request, signal);
    return { reply, transport: wayOf(reply), reason: 'Detached' };
  }
  if (wantsStream(body, headers['accept'])) {
    const reply = await stream(runtime, target, request, signal);
    return { reply, transport: wayOf(reply) };
  }
  const { transport, result } = await runtime.exec(target, request, signal);
  const reply = { status: 200, body: result, headers: { [TRANSPORT]: transport } };
  return { reply, transport, reason: result.timedOut ? 'TimedOut' : undefined };
}

const wayOf = ({ headers }: Reply): Transport => (headers?.[TRANSPORT] === 'exec' ? 'exec' : 'runtime');

function worded(error: unknown): unknown {
  if (error instanceof RuntimeUnreachable) {
    return refusals.unavailable(`the runtime of the sandbox cannot be reached: ${error.message}`);
  }
  if (error instanceof RuntimeLost) {
    return refusals.transportLost('the connection to the sandbox broke; the command may have run');
  }
  if (!(error instanceof RuntimeRefused)) return error;
  if (error.status === 400 || error.status === 413) return refusals.badRequest(error.message);
  return refusals.transportLost(`the sandbox refused: ${error.message}`);
}
