// SPDX-License-Identifier: Apache-2.0
import type { ExecRequest } from '../../cluster/runtimeClient.ts';
import { RuntimeLost, RuntimeRefused } from '../../cluster/runtimeErrors.ts';
import type { Target } from '../../cluster/target.ts';
import type { Stores } from '../../cluster/caches.ts';
import type { SandboxFinder } from '../../cluster/finder.ts';
import { awaitTarget } from '../../cluster/awaitTarget.ts';
import type { Wake } from '../../cluster/wake.ts';
import type { ExecOutcome } from '../../exec/exec.ts';
import type { Call, Handler, Reply } from '../route.ts';
import { refusals } from '../errors.ts';
import { admitTo } from '../sandboxes/operations.ts';
import type { SandboxAudit } from '../../audit.ts';
import type { Sandbox } from '@agenttier/crds/generated/types';

export interface ExecOptions {
  readonly stores: Pick<Stores, 'sandboxes' | 'pods' | 'keys'>;
  readonly finder: Pick<SandboxFinder, 'find'>;
  readonly wake: Wake;
  readonly run: (target: Target, request: ExecRequest, signal: AbortSignal) => Promise<ExecOutcome>;
  /** The sandbox is being used. */
  readonly touch: (sandbox: Sandbox) => void;
  readonly audit: SandboxAudit;
  readonly observe: (outcome: 'ok' | 'timeout' | 'error', transport: string, seconds: number) => void;
}

const DEFAULT_SECONDS = 30;
/** The runtime's own ceiling. */
const MAX_SECONDS = 1800;

export function execOperation(options: ExecOptions): Handler {
  return (call) => exec(options, call);
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
    const { transport, result } = await options.run(target, request, call.signal);
    options.observe(result.timedOut ? 'timeout' : 'ok', transport, seconds());
    audited('allowed', result.timedOut ? 'TimedOut' : undefined);
    return { status: 200, body: result, headers: { 'X-AgentTier-Transport': transport } };
  } catch (error) {
    options.observe('error', 'none', seconds());
    audited('failed');
    if (error instanceof RuntimeLost) {
      throw refusals.transportLost('the connection to the sandbox broke; the command may have run');
    }
    if (error instanceof RuntimeRefused)
      throw refusals.transportLost(`the sandbox refused: ${error.message}`);
    throw error;
  } finally {
    // A long command is use until its end, not only at its start.
    options.touch(sandbox);
  }
}

/** Reads the body of an exec: `command` as a line for `/bin/sh -c`, or as a list that is run without any shell. */
export function readExec(body: unknown): ExecRequest {
  const fields = typeof body === 'object' && body !== null ? (body as Record<string, unknown>) : {};
  return { command: readCommand(fields['command']), timeoutSeconds: readTimeout(fields['timeout']) };
}

function readCommand(command: unknown): string[] {
  if (typeof command === 'string' && command !== '') return ['/bin/sh', '-c', command];
  const isList = Array.isArray(command) && command.length > 0 && command[0] !== '';
  if (isList && command.every((part): part is string => typeof part === 'string')) return command;
  throw refusals.invalidFields([
    { field: 'command', message: 'is required: a shell line, or a list of a program and its arguments' },
  ]);
}

function readTimeout(timeout: unknown): number {
  if (timeout === undefined || timeout === null || timeout === 0) return DEFAULT_SECONDS;
  if (typeof timeout === 'number' && Number.isInteger(timeout) && timeout > 0 && timeout <= MAX_SECONDS)
    return timeout;
  throw refusals.invalidFields([
    { field: 'timeout', message: `must be a whole number of seconds from 1 to ${MAX_SECONDS}` },
  ]);
}
