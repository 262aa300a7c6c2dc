// SPDX-License-Identifier: Apache-2.0
import { performance } from 'node:perf_hooks';
import express from 'express';
import type { Express, NextFunction, Request, Response } from 'express';
import type { Logger } from '@agenttier/machinery/telemetry/log';
import type { AdmissionAudit } from './audit.ts';
import type { AdmissionMetrics } from './metrics.ts';
import type { Tracer } from '@agenttier/machinery/telemetry/spans';
import { answer, faultAnswer, parseReview } from './review.ts';
import type { AdmissionRequest, Handler, Verdict } from './review.ts';
import { tracedHandler } from './trace.ts';

/** Handlers by path, for instance `/mutate/sandboxes`. */
export type Handlers = Readonly<Record<string, Handler>>;

export interface AppOptions {
  readonly handlers: Handlers;
  readonly metrics: AdmissionMetrics;
  readonly log: Logger;
  readonly tracer: Tracer;
  /** Keeps what was decided. */
  readonly audit?: AdmissionAudit | undefined;
  /** Milliseconds; must stay below `timeoutSeconds` of the webhook configuration (5 s), so that people read our words. */
  readonly deadlineMs: number;
}

/** `object` and `oldObject` may each come close to etcd's 1.5 MiB and grow when written as JSON. */
const BODY_LIMIT = '8mb';

class DeadlineError extends Error {}

/** Settles with the handler or rejects at the deadline, whichever is first. */
async function withDeadline(
  handler: Handler,
  request: AdmissionRequest,
  deadlineMs: number,
): Promise<Verdict> {
  const controller = new AbortController();
  let timer: NodeJS.Timeout | undefined;
  const expired = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => {
      const error = new DeadlineError(`no verdict within ${deadlineMs} ms`);
      reject(error);
      controller.abort(error);
    }, deadlineMs);
  });
  try {
    return await Promise.race([handler(request, controller.signal), expired]);
  } finally {
    clearTimeout(timer);
  }
}

function describe(path: string, request: AdmissionRequest): Record<string, unknown> {
  return {
    path,
    uid: request.uid,
    kind: request.kind.kind,
    operation: request.operation,
    namespace: request.namespace,
    name: request.name,
    dryRun: request.dryRun === true,
  };
}

/** Field and code only: messages and objects may repeat values that are secrets. */
function logVerdict(log: Logger, facts: Record<string, unknown>, verdict: Verdict): void {
  if (verdict.violations.length > 0) {
    log.info(
      { ...facts, violations: verdict.violations.map((v) => `${v.field} ${v.code}`) },
      'admission refused',
    );
  } else {
    log.debug({ ...facts, operations: verdict.patch?.length ?? 0 }, 'admission allowed');
  }
}

function reviewRoute(path: string, handler: Handler, options: AppOptions) {
  const { metrics, log, tracer, deadlineMs } = options;
  const traced = tracedHandler(path, handler, tracer);
  return async (req: Request, res: Response): Promise<void> => {
    const started = performance.now();
    const parsed = parseReview(req.body);
    if (!parsed.ok) {
      res.status(400).json({ error: parsed.message });
      return;
    }
    const { request } = parsed;
    const facts = describe(path, request);
    try {
      const verdict = await withDeadline(traced, request, deadlineMs);
      logVerdict(log, facts, verdict);
      metrics.observe(path, request, verdict, performance.now() - started);
      options.audit?.(path, request, verdict);
      res.json(answer(request, verdict));
    } catch (error) {
      const late = error instanceof DeadlineError;
      log.error({ ...facts, err: error }, late ? 'admission timed out' : 'admission failed');
      metrics.observeFault(path, request, performance.now() - started);
      const message = late
        ? `AgentTier could not decide in time (${deadlineMs} ms); try again`
        : 'AgentTier could not decide because of an internal error; see the log of agenttier-webhook';
      res.json(faultAnswer(request, late ? 504 : 500, message));
    }
  };
}

function onBodyError(log: Logger) {
  return (error: Error & { status?: number }, _req: Request, res: Response, _next: NextFunction): void => {
    const status = error.status ?? 500;
    log.warn({ status, reason: error.name }, 'request body refused');
    res.status(status).json({ error: status === 413 ? 'request body too large' : 'request body unreadable' });
  };
}

/** The app behind TLS on the webhook port: one POST route per webhook, nothing else. */
export function createAdmissionApp(options: AppOptions): Express {
  const app = express();
  app.disable('x-powered-by');
  app.disable('etag');
  app.use(express.json({ limit: BODY_LIMIT }));
  for (const [path, handler] of Object.entries(options.handlers)) {
    app.post(path, reviewRoute(path, handler, options));
  }
  app.use((_req, res) => {
    res.status(404).json({ error: 'no such webhook' });
  });
  app.use(onBodyError(options.log));
  return app;
}
