// SPDX-License-Identifier: Apache-2.0
import { isKubeError, type KubeError, type StatusCause } from '@agenttier/machinery/kube/errors';

/** A command that cannot do what it was asked; printed as `error: message`. */
export class CommandError extends Error {
  override readonly name = 'CommandError';
  readonly exitCode: number;

  constructor(message: string, exitCode = 1, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.exitCode = exitCode;
  }
}

/** One reason of a refusal as far as the wire tells it. */
export interface Refusal {
  readonly code?: string;
  readonly field?: string;
  readonly message: string;
  readonly limit?: string | number;
  readonly actual?: string | number;
}

/** The router said no. `code` is its machine word, `refusals` the violations it listed. */
export class RouterError extends Error {
  override readonly name = 'RouterError';
  readonly status: number;
  readonly code: string;
  readonly refusals: readonly Refusal[];

  constructor(fields: {
    status: number;
    code: string;
    message: string;
    refusals?: readonly Refusal[];
    cause?: unknown;
  }) {
    super(fields.message, fields.cause === undefined ? undefined : { cause: fields.cause });
    this.status = fields.status;
    this.code = fields.code;
    this.refusals = fields.refusals ?? [];
  }
}

/** What to write to stderr for a failure, and the exit code of the process. Several failures are told one after the other. */
export function describeFailure(error: unknown): {
  readonly lines: readonly string[];
  readonly exitCode: number;
} {
  if (error instanceof AggregateError) {
    const all = error.errors.map(describeFailure);
    return {
      lines: all.flatMap((one) => one.lines),
      exitCode: Math.max(1, ...all.map((one) => one.exitCode)),
    };
  }
  if (isKubeError(error)) return { lines: kubeLines(error), exitCode: 1 };
  if (error instanceof RouterError) return { lines: routerLines(error), exitCode: 1 };
  const exitCode = error instanceof CommandError ? error.exitCode : 1;
  return { lines: [`error: ${messageOf(error)}`], exitCode };
}

function kubeLines(error: KubeError): string[] {
  if (error.status === 0) return [`error: unable to reach the API server: ${error.message}`];
  const refusals = refusalsOf(error);
  const head = refusals.length > 0 ? headline(error) : error.message;
  return [`Error from server (${error.reason}): ${head}`, ...refusals.map((one) => `  ${refusalText(one)}`)];
}

function routerLines(error: RouterError): string[] {
  const label = error.status === 0 ? 'error' : `Error from router (${error.code})`;
  return [`${label}: ${error.message}`, ...error.refusals.map((one) => `  ${refusalText(one)}`)];
}

/** The violations in a refused write: one per cause that names a field, and each once however often it is listed. */
export function refusalsOf(error: KubeError): readonly Refusal[] {
  const causes = error.body?.details?.causes ?? [];
  const refusals = causes.filter((cause) => cause.field !== undefined && cause.field !== '').map(refusalOf);
  return [...new Map(refusals.map((refusal) => [JSON.stringify(refusal), refusal])).values()];
}

/** A cause has room for a sentence only, so our webhook may put a JSON object with the numbers there. */
function refusalOf(cause: StatusCause): Refusal {
  const { reason: code, field, message = 'refused' } = cause;
  const told = message.startsWith('{') ? factsIn(message) : undefined;
  return {
    ...(code === undefined ? {} : { code }),
    ...(field === undefined ? {} : { field }),
    message,
    ...told,
  };
}

function factsIn(text: string): Pick<Refusal, 'message' | 'limit' | 'actual'> | undefined {
  try {
    const { message, limit, actual } = JSON.parse(text) as Record<string, unknown>;
    if (typeof message !== 'string') return undefined;
    return { message, ...(isFact(limit) ? { limit } : {}), ...(isFact(actual) ? { actual } : {}) };
  } catch {
    return undefined;
  }
}

export const isFact = (value: unknown): value is string | number =>
  typeof value === 'string' || typeof value === 'number';

/** The first line of a refusal. The violations follow on their own lines, so the server's joined list is cut off. */
function headline(error: KubeError): string {
  const first = error.message.split('\n')[0] ?? '';
  return /^.*? is invalid:/.exec(first)?.[0] ?? first;
}

/** `field: message (limit L, actual A) [code]`, leaving out what the message already says. */
export function refusalText(refusal: Refusal): string {
  const { field, message, limit, actual, code = '' } = refusal;
  const facts = [factText('limit', limit, message), factText('actual', actual, message)].filter(
    (fact) => fact !== '',
  );
  return [
    field === undefined ? '' : `${field}: `,
    message,
    facts.length > 0 ? ` (${facts.join(', ')})` : '',
    code === '' || message.includes(`[${code}]`) ? '' : ` [${code}]`,
  ].join('');
}

function factText(name: string, value: string | number | undefined, message: string): string {
  return value === undefined || message.includes(`${name} ${value}`) ? '' : `${name} ${value}`;
}

export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** The text without the secret, should it have found its way in: keys appear in no error and no log. */
export function withoutSecret(text: string, secret: string | undefined): string {
  return secret === undefined || secret.length < 4 ? text : text.replaceAll(secret, '[hidden]');
}
