// SPDX-License-Identifier: Apache-2.0
import type { Logger } from '@agenttier/machinery/telemetry/log';
import type { Tracer } from '@agenttier/machinery/telemetry/spans';
import express from 'express';
import type { ErrorRequestHandler, Express, Request, RequestHandler, Response } from 'express';
import { ROUTES } from './api/contract.ts';
import type { Handlers } from './api/contract.ts';
import { isFault, refusals, toHttpError } from './api/errors.ts';
import { admit, costOf, perform } from './api/perform.ts';
import type { Route } from './api/route.ts';
import { authenticate } from './auth/authenticate.ts';
import type { AuthenticateOptions } from './auth/authenticate.ts';
import type { Principal } from './auth/principal.ts';
import type { SessionDesk } from './auth/session/desk.ts';
import type { Bearer, TicketDesk } from './terminal/door/ticketDesk.ts';
import { refuseForeignPage } from './auth/origin.ts';
import { mcpEndpoint } from './mcp/endpoint.ts';
import type { Gate } from './ratelimit/gate.ts';
import { accessLog } from './middleware/accessLog.ts';
import { cleanPath } from './middleware/cleanPath.ts';
import { cors } from './middleware/cors.ts';
import { keepEncoded } from './middleware/keepEncoded.ts';
import { requestId } from './middleware/requestId.ts';
import { shallowBody } from './middleware/shallowBody.ts';
import { slowBody } from './middleware/slowBody.ts';
import { traceRequests } from './middleware/trace.ts';
import { sendReply } from './sendReply.ts';
import type { RouterMetrics } from './telemetry.ts';

export interface AppOptions {
  readonly handlers: Handlers;
  readonly auth: AuthenticateOptions;
  readonly gate: Gate;
  /** Sign-ins in cookies; absent = a cookie is no credential. */
  readonly sessions?: Pick<SessionDesk, 'tokenOf'> | undefined;
  readonly tickets: Pick<TicketDesk, 'read'>;
  readonly corsOrigins: readonly string[];
  /** Reasons for not being ready; empty when ready. */
  readonly unready: () => readonly string[];
  /** What has not been read from the cluster yet: until it is, answers would be wrong. */
  readonly missing: () => readonly string[];
  readonly metricsPage: (request: Request, response: Response) => void;
  readonly metrics: Pick<RouterMetrics, 'request'>;
  readonly tracer: Tracer;
  /** The dashboard; absent = this router serves programs only. */
  readonly pages?: RequestHandler | undefined;
  readonly log: Logger;
}

/** The HTTP application: the routes of the contract, health and metrics. Assembly only. */
export function createApp(options: AppOptions): Express {
  const app = express();
  app.disable('x-powered-by');
  app.disable('etag');
  app.set('trust proxy', false);
  app.use(requestId, cleanPath, traceRequests(options.tracer), accessLog(options), slowBody());
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
  app.use(keepEncoded(ROUTES.map(({ path }) => `/api/v1${path}`)));
  for (const route of ROUTES) mount(app, route, options);
  for (const [path, methods] of methodsByPath(ROUTES)) app.all(`/api/v1${path}`, otherMethod(methods));
  app.all('/mcp', whenRead(options.missing), mcpEndpoint(options));
  app.get('/ws/terminal/:id', () => {
    throw refusals.upgradeRequired();
  });
  if (options.pages) app.use(options.pages);
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
function ownPagesOnly(corsOrigins: readonly string[]): RequestHandler {
  return (request, _response, next) => {
    refuseForeignPage(request.headers, { corsOrigins, devAuth: true });
    next();
  };
}

function mount(app: Express, route: Route, options: AppOptions): void {
  const steps: RequestHandler[] = [
    async (request, response, next) => {
      response.locals['route'] = route.path;
      response.locals['rawBody'] = route.body === 'raw';
      const address = options.gate.addressOf(request);
      options.gate.request(address);
      if (!route.open) {
        const { principal, ticket } = await callerOf(route, options, request, address);
        response.locals['principal'] = principal;
        response.locals['ticket'] = ticket;
        response.locals['sub'] = principal.sub;
        options.gate.person(principal.sub, 1);
        admit(route, principal, String(request.params['id'] ?? ''));
      }
      next();
    },
  ];
  const { body } = route;
  // Whatever the content type says: clients send JSON under several, and some under none.
  if (body !== undefined && body !== 'raw') {
    steps.push(express.json({ limit: body.limit, type: () => true, strict: false }), shallowBody);
  }
  steps.push((request, response) => answer(route, options, request, response));
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

type Caller = Pick<Bearer, 'principal'> & Partial<Bearer>;

/** Bad tickets count like other bad credentials. */
async function callerOf(
  { ticket }: Route,
  { auth, gate, tickets, sessions }: AppOptions,
  request: Request,
  address: string,
): Promise<Caller> {
  if (ticket === undefined) return { principal: await identify({ auth, sessions }, request, address) };
  const text = new URL(request.url, 'http://router').searchParams.get('ticket') ?? '';
  if (text === '') throw refusals.missingAuthorization();
  return gate.signIn(address, text, async () => tickets.read(text, ticket));
}

/** A cookie counts where there is neither a key nor a token: what a program shows on purpose is what it means. */
async function identify(
  { auth, sessions }: Pick<AppOptions, 'auth' | 'sessions'>,
  request: Request,
  address: string,
): Promise<Principal> {
  const apiKey = request.get('X-API-Key');
  const given = request.get('Authorization');
  const kept = apiKey === undefined && given === undefined && sessions?.tokenOf(request.headers);
  return authenticate({ apiKey, authorization: kept ? `Bearer ${kept}` : given, address }, auth);
}

async function answer(
  route: Route,
  { handlers, gate }: Pick<AppOptions, 'handlers' | 'gate'>,
  request: Request,
  response: Response,
): Promise<void> {
  const principal = (response.locals['principal'] ?? NOBODY) as Principal;
  const more = costOf(route, request.body) - 1;
  if (more > 0) gate.person(principal.sub, more);
  const gone = new AbortController();
  response.once('close', () => {
    if (!response.writableFinished) gone.abort(new Error('the client went away'));
  });
  const reply = await perform(route, handlers, {
    principal,
    ticket: response.locals['ticket'] as Bearer['ticket'] | undefined,
    sourceIp: gate.addressOf(request),
    params: paramsOf(request),
    query: new URL(request.url, 'http://router').searchParams,
    headers: request.headers,
    body: request.body as unknown,
    stream: request,
    signal: gone.signal,
    head: request.method === 'HEAD',
  });
  await sendReply(reply, request, response);
}

/** Whom an open route is answered to: no right follows from it. */
const NOBODY: Principal = { sub: '', email: '', name: '', groups: [], isAdmin: false, namespaces: [] };

/** A parameter that takes the rest of the path comes in parts. */
const paramsOf = ({ params }: Request): Record<string, string> =>
  Object.fromEntries(
    Object.entries(params).map(([name, value]) => [name, Array.isArray(value) ? value.join('/') : value]),
  );

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
