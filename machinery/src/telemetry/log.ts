// SPDX-License-Identifier: Apache-2.0
import pino from 'pino';
import type { DestinationStream, Logger as PinoLogger } from 'pino';
import { currentTrace } from './tracing.ts';

/** Structured logger: `log.info({ sandbox, namespace }, 'what happened')`. */
export type Logger = PinoLogger;

export interface LoggerOptions {
  /** Name of the process, for instance `operator`. */
  readonly component: string;
  /** trace, debug, info, warn, error, fatal or silent; default info. */
  readonly level?: string | undefined;
  /** Where lines go; default standard output. */
  readonly destination?: DestinationStream | undefined;
}

/**
 * Keys whose values never reach a log line, at the top and one or two levels down. pino's paths are exact, hence the
 * three depths. Whole objects must not be logged in the first place: env values of a Sandbox may be secrets.
 */
const SECRET_KEYS = ['token', 'authorization', 'password', 'clientKey', 'apiKey', 'secret', 'cookie'];
const REDACTED = SECRET_KEYS.flatMap((key) => [key, `*.${key}`, `*.*.${key}`, `*.headers.${key}`]);

const serializeError = (error: unknown): unknown => {
  if (!(error instanceof Error)) return error;
  const { status, reason } = error as { status?: unknown; reason?: unknown };
  return {
    type: error.name,
    message: error.message,
    ...(status === undefined ? {} : { status }),
    ...(reason === undefined ? {} : { reason }),
    stack: error.stack,
    ...(error.cause === undefined ? {} : { cause: serializeError(error.cause) }),
  };
};

/** Logger that writes one JSON object per line: `time` (RFC 3339), `level` (word), `component`, `msg`, own fields. */
export function createLogger(options: LoggerOptions): Logger {
  const settings = {
    level: options.level ?? 'info',
    base: { component: options.component },
    timestamp: pino.stdTimeFunctions.isoTime,
    mixin: () => {
      const trace = currentTrace();
      return trace ? { trace_id: trace.traceId, span_id: trace.spanId } : {};
    },
    formatters: { level: (label: string) => ({ level: label }) },
    redact: { paths: REDACTED, censor: '[redacted]' },
    serializers: { err: serializeError, error: serializeError },
  };
  return options.destination ? pino(settings, options.destination) : pino(settings);
}

/** Logger that says nothing, for tests and for callers that need none. */
export const silentLogger: Logger = pino({ level: 'silent' });
