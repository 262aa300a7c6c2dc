// SPDX-License-Identifier: Apache-2.0
import type { Logger } from '@agenttier/machinery/telemetry/log';
import type { Tracer } from '@agenttier/machinery/telemetry/spans';
import express from 'express';
import type { ErrorRequestHandler, Express, Request, RequestHandler, Response } from 'express';
import { ROUTES } from './api/contract.ts';
import type { Handlers, Operation } from './api/contract.ts';
import { isFault, refusals, toHttpError } from './api/errors.ts';
import type { Handler, Route } from './api/route.ts';
import { checkedBody, checkQuery } from './api/validate.ts';
import { authenticate } from './auth/authenticate.ts';
import type { AuthenticateOptions } from './auth/authenticate.ts';
import { namespaceAllowed, scopeRefusal } from './auth/authorize.ts';
import type { Principal } from './auth/principal.ts';
import { originAllowed } from './auth/origin.ts';
import { accessLog } from './middleware/accessLog.ts';
import { cleanPath } from './middleware/cleanPath.ts';
import { cors } from './middleware/cors.ts';
import { requestId } from './middleware/requestId.ts';
import { traceRequests } from './middleware/trace.ts';
import { sendReply } from './sendReply.ts';
import type { RouterMetrics } from './telemetry.ts';

export interface AppOptions {
  readonly handlers: Handlers;
  readonly auth: AuthenticateOptions;
  readonly corsOrigins: readonly string[];
  /** Reasons for not being ready; empty when ready. */
  readonly unready: () => readonly string[];
  /** What has not been read from the cluster yet: until it is, answers would be wrong. */
  readonly missing: () => readonly string[];
  readonly metricsPage: (request: Request, response: Response) => void;
  readonly metrics: Pick<RouterMetrics, 'request'>;
  readonly tracer: Tracer;
  readonly log: Logger;
}

/** The HTTP application: the routes of the contract, health and metrics. Assembly only. */
export function createApp(options: AppOptions): Express {
  const app = express();
  app.disable('x-powered-by');
  app.disable('etag');
  app.set('trust proxy', false);
  app.use(requestId, cleanPath, traceRequests(options.tracer), accessLog(options.log, options.metrics));
  app.get('/healthz', (_request, response) => void response.type('text').send('ok'));
  app.get('/readyz', (_request, response) => {
    const reasons = options.unready();
    response.status(reasons.length === 0 ? 200 : 503).type('text');
    response.send(reasons.length === 0 ? 'ok' : `not ready: ${reasons.join('; ')}`);
  });
  app.get('/metrics', options.metricsPage);
  app.use(cors(options.corsOrigins));
  if (options.auth.devAuth) app.use(ownPagesOnly(options.corsOrigins));
  app.use('/api', whenRead(options.missing));
  for (const route of ROUTES) mount(app, route, options);
  for (const [path, methods] of methodsByPath(ROUTES)) app.all(`/api/v1${path}`, otherMethod(methods));
  app.get('/ws/terminal/:id', () => {
    throw refusals.upgradeRequired();
  });
  app.use((request) => {
    throw refusals.noSuchRoute(request.method, request.path);
  });
  app.use(errorHandler(options.log));
  return app;
}

/** An empty list, or a 404 for what does exist, would be taken at its word. */
function whenRead(missing: AppOptions['missing']): RequestHandler {
  return (_request, _response, next) => {
    if (missing().length > 0) throw refusals.starting();
    next();
  };
}

/** Where no credential is asked for, any page in the developer's browser could act: so foreign pages are refused. */
function ownPagesOnly(origins: readonly string[]): RequestHandler {
  return (request, _response, next) => {
    const origin = request.get('Origin');
    if (!originAllowed(origin, request.get('Host'), origins)) throw refusals.originRefused(String(origin));
    next();
  };
}

function mount(app: Express, route: Route, options: AppOptions): void {
  const steps: RequestHandler[] = [
    async (request, response, next) => {
      response.locals['route'] = route.path;
      if (!route.open) await identify(route, options.auth, request, response);
      next();
    },
  ];
  const { body } = route;
  // Whatever the content type says: clients send JSON under several, and some under none.
  if (body !== undefined && body !== 'raw') {
    steps.push(express.json({ limit: body.limit, type: () => true, strict: false }));
  }
  steps.push((request, response) => answer(route, options.handlers, request, response));
  app[route.method](`/api/v1${route.path}`, ...steps);
}

function methodsByPath(routes: readonly Route[]): Map<string, readonly string[]> {
  const found = new Map<string, string[]>();
  for (const { path, method } of routes) {
    const methods = found.get(path) ?? [];
    // A HEAD is answered like a GET, without the body.
    methods.push(...(method === 'get' ? ['GET', 'HEAD'] : [method.toUpperCase()]));
    found.set(path, methods);
  }
  return found;
}

/** RFC 9110 section 15.5.6: the answer names the methods that there are. */
function otherMethod(methods: readonly string[]): RequestHandler {
  return (request) => {
    throw refusals.noSuchMethod(request.method, methods);
  };
}

async function identify(
  route: Route,
  auth: AuthenticateOptions,
  request: Request,
  response: Response,
): Promise<void> {
  const credentials = { apiKey: request.get('X-API-Key'), authorization: request.get('Authorization') };
  const principal = await authenticate(credentials, auth);
  response.locals['principal'] = principal;
  response.locals['sub'] = principal.sub;
  const refusal = route.anyKey
    ? undefined
    : scopeRefusal(principal, route.action, String(request.params['id'] ?? ''));
  if (refusal !== undefined) throw refusals.scopedKey(refusal);
  if (route.admin && !principal.isAdmin) throw refusals.adminRequired();
}

async function answer(route: Route, handlers: Handlers, request: Request, response: Response): Promise<void> {
  const gone = new AbortController();
  response.once('close', () => {
    if (!response.writableFinished) gone.abort(new Error('the client went away'));
  });
  const query = new URL(request.url, 'http://router').searchParams;
  if (route.query) checkQuery(route.query, query);
  const handler = handlers[route.operation as Operation] as Handler;
  const principal = (response.locals['principal'] ?? NOBODY) as Principal;
  const body = bodyOf(route, request.body);
  for (const namespace of namespacesNamed(request, query, body)) {
    if (!namespaceAllowed(principal, namespace)) throw refusals.namespaceRefused(namespace);
  }
  const reply = await handler({
    principal,
    sourceIp: request.socket.remoteAddress,
    params: paramsOf(request),
    query,
    headers: request.headers,
    body,
    stream: request,
    signal: gone.signal,
  });
  await sendReply(reply, request, response);
}

/** Whom an open route is answered to: no right follows from it. */
const NOBODY: Principal = { sub: '', email: '', name: '', groups: [], isAdmin: false, namespaces: [] };

/** The namespaces that a request names; those of the sandboxes that it finds are looked at where they are found. */
function namespacesNamed({ params }: Request, query: URLSearchParams, body: unknown): string[] {
  const { namespace: inBody } = (typeof body === 'object' && body !== null ? body : {}) as {
    namespace?: unknown;
  };
  const named = [query.get('namespace'), params['namespace'], inBody];
  return named.filter((each): each is string => typeof each === 'string' && each !== '');
}

/** A parameter that takes the rest of the path comes in parts, each decoded. */
const paramsOf = ({ params }: Request): Record<string, string> =>
  Object.fromEntries(
    Object.entries(params).map(([name, value]) => [name, Array.isArray(value) ? value.join('/') : value]),
  );

function bodyOf({ body }: Route, given: unknown): unknown {
  if (body === undefined || body === 'raw') return undefined;
  const value = body.optional ? (given ?? {}) : given;
  return body.own ? value : checkedBody(body.schema, value);
}

function errorHandler(log: Logger): ErrorRequestHandler {
  return (error: unknown, _request, response, _next) => {
    const problem = toHttpError(error);
    if (isFault(problem) && !response.destroyed) {
      log.error({ err: error, request_id: response.locals['requestId'] }, 'request failed');
    }
    if (response.headersSent) {
      response.destroy();
      return;
    }
    response.status(problem.status).set(problem.headers).json(problem.body);
  };
}
