// SPDX-License-Identifier: Apache-2.0
import type { ServerEvent } from './serverEvents.ts';

/** Data of the events with which configuring and invoking an agent answer. */

/** Of `log`: one line that was printed, without its line break. */
export interface LogLine {
  readonly stream: 'stdout' | 'stderr';
  readonly data: string;
}

/** Of `error`, which ends a configuration without a result. */
export interface ConfigureError {
  readonly phase: 'files' | 'install';
  readonly message: string;
}

/** Of `result`, the last of a configuration. */
export interface ConfigureResult {
  readonly lastConfiguredAt: string;
  readonly installCommandHash: string;
  readonly entrypoint?: readonly string[];
  readonly installExitCode: number;
  /** The same was installed before, so nothing was done. */
  readonly skipped: boolean;
}

/** Of `start`, the first of an invocation. */
export interface InvokeStart {
  readonly invokeId: string;
  /** Milliseconds of the epoch. */
  readonly startedAt: number;
}

export const INVOKE_REASONS = ['completed', 'timeout', 'canceled', 'error'] as const;
export type InvokeReason = (typeof INVOKE_REASONS)[number];

/** Of `exit`, the last of an invocation. The code is -1 unless the agent ended by itself. */
export interface InvokeExit {
  readonly invokeId: string;
  readonly exitCode: number;
  readonly durationMs: number;
  readonly reason: InvokeReason;
}

export type ConfigureEvent =
  | { readonly event: 'log'; readonly data: LogLine }
  | { readonly event: 'error'; readonly data: ConfigureError }
  | { readonly event: 'result'; readonly data: ConfigureResult };

export type InvokeEvent =
  | { readonly event: 'start'; readonly data: InvokeStart }
  | { readonly event: 'log'; readonly data: LogLine }
  | { readonly event: 'exit'; readonly data: InvokeExit };

/** An event of a configuration; undefined when it is none that we know, which is to be ignored. */
export function parseConfigureEvent({ event, data }: ServerEvent): ConfigureEvent | undefined {
  const value = parseObject(data);
  if (value === undefined) return undefined;
  if (event === 'log') return { event, data: logLine(value) };
  if (event === 'error') {
    const phase = value['phase'] === 'files' ? 'files' : 'install';
    return { event, data: { phase, message: text(value['message']) } };
  }
  if (event !== 'result') return undefined;
  const { entrypoint } = value;
  const argv = Array.isArray(entrypoint) ? { entrypoint: entrypoint.map(String) } : {};
  return {
    event,
    data: {
      lastConfiguredAt: text(value['lastConfiguredAt']),
      installCommandHash: text(value['installCommandHash']),
      installExitCode: number(value['installExitCode'], 0),
      skipped: value['skipped'] === true,
      ...argv,
    },
  };
}

/** An event of an invocation; undefined when it is none that we know, which is to be ignored. */
export function parseInvokeEvent({ event, data }: ServerEvent): InvokeEvent | undefined {
  const value = parseObject(data);
  if (value === undefined) return undefined;
  if (event === 'log') return { event, data: logLine(value) };
  const invokeId = text(value['invokeId']);
  if (event === 'start') return { event, data: { invokeId, startedAt: number(value['startedAt'], 0) } };
  if (event !== 'exit') return undefined;
  const reason = INVOKE_REASONS.find((one) => one === value['reason']) ?? 'error';
  const exitCode = number(value['exitCode'], -1);
  return { event, data: { invokeId, exitCode, durationMs: number(value['durationMs'], 0), reason } };
}

const logLine = (value: Record<string, unknown>): LogLine => ({
  stream: value['stream'] === 'stderr' ? 'stderr' : 'stdout',
  data: text(value['data']),
});

const text = (value: unknown): string => (typeof value === 'string' ? value : '');

const number = (value: unknown, fallback: number): number =>
  typeof value === 'number' && Number.isFinite(value) ? value : fallback;

function parseObject(data: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(data);
    const isObject = typeof value === 'object' && value !== null && !Array.isArray(value);
    return isObject ? (value as Record<string, unknown>) : undefined;
  } catch {
    // The peer may be newer than we are, or the stream was cut.
    return undefined;
  }
}
