// SPDX-License-Identifier: Apache-2.0
import type { ErrorBody } from '@agenttier/crds/wire/problem';
import { KubeError } from '@agenttier/machinery/kube/errors';
import { deniedBody } from './denial.ts';

/** An answer that ends the request. Handlers throw it for what the caller did wrong; it is not a fault of ours. */
export class HttpError extends Error {
  override readonly name = 'HttpError';
  readonly status: number;
  readonly body: ErrorBody;
  readonly headers: Readonly<Record<string, string>>;

  constructor(status: number, body: ErrorBody, headers: Readonly<Record<string, string>> = {}) {
    super(body.message ?? body.error);
    this.status = status;
    this.body = body;
    this.headers = headers;
  }
}

const say = (status: number, error: string, message?: string): HttpError =>
  new HttpError(status, message === undefined ? { error } : { error, message });

/** The catalogue: every refusal that this process words itself. */
export const refusals = {
  missingAuthorization: () =>
    say(401, 'missing_authorization', 'send an API key in X-API-Key or a token in Authorization: Bearer'),
  invalidAuthorizationFormat: () =>
    say(401, 'invalid_authorization_format', 'Authorization must read "Bearer <token>"'),
  invalidApiKey: () => say(401, 'invalid_api_key', 'this API key is unknown, revoked or expired'),
  invalidTicket: (why: string) => say(401, 'invalid_ticket', why),
  invalidToken: (why: string) => say(401, 'invalid_token', why),
  noSession: () => say(401, 'missing_authorization', 'this browser holds no session: sign in'),
  sessionTooLarge: () =>
    say(
      401,
      'session_too_large',
      "the issuer's tokens are too long for cookies: put fewer groups or scopes into them, or set auth.oidc.session to page",
    ),
  sessionHeaderMissing: () =>
    say(
      403,
      'session_header_missing',
      'a session in cookies counts with the header X-AgentTier-Session only',
    ),
  sessionOriginRefused: (origin: string) =>
    say(
      403,
      'origin_not_allowed',
      `a session in cookies is for pages of this host only, not for ${origin}; a proxy in front must pass the Host header on`,
    ),
  noSessions: () =>
    say(
      404,
      'no sessions',
      'this installation keeps no sign-in in cookies: auth.oidc.session of the chart is page',
    ),
  scopedKey: (why: string) => say(403, why),
  originRefused: (origin: string) =>
    say(
      403,
      'origin_not_allowed',
      `origin ${origin} may not call this server; add it to CORS_ALLOWED_ORIGINS`,
    ),
  /** In development mode, where being asked is all it takes. */
  hostRefused: (host: string) =>
    say(
      403,
      'host_not_allowed',
      `development mode is not served as ${host}: use localhost, an address, or add its origin to CORS_ALLOWED_ORIGINS`,
    ),
  /** One text for "not there" and "not yours": existence is nobody else's business. */
  sandboxNotFound: (id: string) => say(404, `sandbox ${id} not found`),
  keyNotFound: (id: string) => say(404, `API key ${id} not found`),
  tooManyKeys: (most: number) =>
    say(409, 'too_many_keys', `one person may have ${most} API keys: revoke one that is no longer used`),
  templateNotFound: (name: string) => say(404, 'template not found', `template ${name} not found`),
  /** The same for a secret that is none, and for a link that is closed: whoever guesses learns nothing. */
  shareLinkNotFound: () => say(404, 'share link not found', 'this link does not exist, or was closed'),
  /** Only whoever has its secret gets here. */
  shareLinkSpent: (why: string) => say(410, 'share link is spent', `this link ${why}: ask for another one`),
  backupNotFound: (name: string) => say(404, `backup ${name} not found`),
  snapshotsUnavailable: () =>
    say(
      422,
      'snapshots_unavailable',
      'the cluster has no VolumeSnapshots: install the CSI snapshot controller and its kinds',
    ),
  noHeadroom: () =>
    say(
      404,
      'no headroom',
      'this installation keeps no headroom: set headroom.replicas of the chart above 0 first',
    ),
  warmPoolNotFound: (name: string) => say(404, `warm pool ${name} not found`),
  webhookNotFound: (id: string) => say(404, `webhook ${id} not found`),
  webhookNeedsSandbox: () =>
    say(403, 'admin_required', 'name one of your sandboxes in sandboxId: all others are for administrators'),
  tooManyWebhooks: (most: number) =>
    say(409, 'too many webhooks', `you have ${most} webhooks: delete one that is not needed`),
  noSuchRoute: (method: string, path: string) =>
    say(404, 'no such route', `${method} ${path} does not exist`),
  noSuchMethod: (method: string, allowed: readonly string[]) =>
    new HttpError(
      405,
      { error: 'method not allowed', message: `this path knows ${allowed.join(', ')}, not ${method}` },
      { Allow: allowed.join(', ') },
    ),
  adminRequired: () => say(403, 'admin_required', 'this is for administrators'),
  roleTooLow: (what: string) =>
    say(403, 'access_denied', `only the owner or an administrator may ${what} this sandbox`),
  viewOnly: (what: string) => say(403, 'access_denied', `a viewer may not ${what} in this sandbox`),
  /** `current` is what the caller would have to make its change from. */
  changed: (current: unknown) =>
    new HttpError(412, {
      error: 'changed',
      message: 'it has changed since If-Match was read: make the change from `current` and try again',
      current,
    }),
  ambiguousSandbox: (id: string, namespaces: readonly string[]) =>
    say(
      409,
      `sandbox ${id} exists in several namespaces (${namespaces.join(', ')}): name one with ?namespace=`,
    ),
  namespaceRefused: (namespace: string) =>
    say(403, 'access_denied', `neither your groups nor your key reach namespace ${namespace}`),
  /** The terminal and exec share it. */
  notRunning: (state: string) => say(409, 'sandbox is not running', `the sandbox is ${state}`),
  /** A sandbox that use has woken up, or that was on its way already. */
  stillStarting: (seconds: number, why: string) =>
    new HttpError(
      503,
      {
        error: 'sandbox is starting',
        message: `the sandbox is being started and was not ready after ${seconds} s (${why}); it goes on, try again`,
      },
      { 'Retry-After': '5' },
    ),
  noAgent: (id: string) => say(400, `sandbox ${id} is no agent: it must have a template of mode agent`),
  /** Limits of a configuration are 403, as clients of old know them. */
  tooManyFiles: (limit: number) => say(403, `files: at most ${limit} files may be configured at once`),
  filesTooLarge: (what: string, limit: number) =>
    say(403, `files: ${what} may have ${limit / 1024 / 1024} MiB at most`),
  limitExceeded: (text: string) => say(403, text),
  noInstallLog: () => say(404, 'there is no installation log: nothing was installed yet'),
  tooManyInvocations: (limit: number, inflight: number) => {
    const message = `${inflight} of ${limit} invocations are running; try again when one has ended`;
    return new HttpError(
      429,
      { error: 'concurrency_exceeded', limit, inflight, message },
      { 'Retry-After': '5' },
    );
  },
  commandNotFound: () =>
    say(404, 'no such command', 'no detached command of this id; results are kept for the latest 64 only'),
  tooManyCommands: (why: string) =>
    new HttpError(429, { error: 'concurrency_exceeded', message: why }, { 'Retry-After': '5' }),
  notForwarded: (port: number) => say(404, `port ${port} is not forwarded`),
  noPreview: (port: number) =>
    say(
      404,
      `port ${port} has no preview`,
      `port ${port} is forwarded as tcp; only http and https have a preview`,
    ),
  /** One text for everything: who is not let in learns nothing. */
  previewClosed: () =>
    say(
      401,
      'preview_closed',
      'this preview is not open to you: open it again from the dashboard, or with `POST …/ports/{port}/preview-tickets`',
    ),
  previewForeign: () => say(403, 'origin_not_allowed', 'only pages of this preview itself may ask for this'),
  noPreviewDomain: () =>
    say(
      409,
      'previews have no domain here',
      'set networking.previewDomain of the installation, or use the path …/preview/{port}/ with a credential',
    ),
  wrongPhase: (text: string) => say(409, text),
  badRequest: (text: string) => say(400, text),
  invalidFields: (fields: readonly { field: string; message: string }[]) =>
    new HttpError(400, {
      error: fields.map(({ field, message }) => `${field}: ${message}`).join('; '),
      violations: fields.map(({ field, message }) => ({ code: 'invalid_value', field, message })),
    }),
  tooManyTerminals: () => {
    const message = 'you have as many terminals open as one person may have: close one first';
    return new HttpError(429, { error: 'concurrency_exceeded', message }, { 'Retry-After': '5' });
  },
  tooManyTerminalsFrom: () => {
    const message = 'as many terminals are open from your address as may be: close one first';
    return new HttpError(429, { error: 'concurrency_exceeded', message }, { 'Retry-After': '5' });
  },
  rateLimited: (seconds: number) =>
    new HttpError(
      429,
      {
        error: 'rate_limited',
        retryAfter: seconds,
        message: `too many requests: try again in ${seconds} s`,
      },
      { 'Retry-After': String(seconds) },
    ),
  batchTooLarge: (count: number, most: number) =>
    say(
      413,
      'batch_too_large',
      `${count} at once are more than the ${most} that one person may ask for: send fewer`,
    ),
  tooManyStreams: (most: number) => {
    const message = `you follow changes ${most} times already, as often as one person may: end one first`;
    return new HttpError(
      429,
      { error: 'concurrency_exceeded', limit: most, message },
      { 'Retry-After': '5' },
    );
  },
  upgradeRequired: () =>
    new HttpError(
      426,
      { error: 'this is a WebSocket endpoint' },
      { Upgrade: 'websocket', Connection: 'Upgrade' },
    ),
  tooLarge: (limit: number) => say(413, `the request body is larger than ${limit} bytes`),
  tooDeep: (limit: number) => say(400, `the request body is nested deeper than ${limit} levels`),
  olderRuntime: () =>
    say(501, 'the sandbox was started with an older runtime that cannot do this: stop and resume it'),
  transportLost: (text: string) => say(502, text),
  starting: () => refusals.unavailable('this replica is starting: it has not read the cluster yet'),
  unavailable: (text: string) => new HttpError(503, { error: text }, { 'Retry-After': '1' }),
} as const;

/** Any thrown value as an answer. Faults of ours say nothing about themselves: they are in the log, by request id. */
export function toHttpError(error: unknown): HttpError {
  if (error instanceof HttpError) return error;
  if (error instanceof KubeError) return fromKubeError(error);
  if (error instanceof URIError) return refusals.badRequest('the path is not valid percent-encoding');
  return fromBodyParser(error) ?? say(500, 'internal error');
}

/** The body parser's errors carry a `type` and a `status`, see its documentation under "Errors". */
function fromBodyParser(error: unknown): HttpError | undefined {
  const { type, limit, status } = (error ?? {}) as { type?: unknown; limit?: unknown; status?: unknown };
  if (typeof type !== 'string') return undefined;
  if (type === 'entity.too.large') return refusals.tooLarge(Number(limit));
  if (type === 'entity.parse.failed') return refusals.badRequest('the request body is not valid JSON');
  if (status === 415) return say(415, 'unsupported charset or encoding');
  return status === 400 ? refusals.badRequest('the request body could not be read') : undefined;
}

/** True when the answer hides a fault that belongs into the log. */
export const isFault = (answer: HttpError): boolean => answer.status >= 500;

function fromKubeError(error: KubeError): HttpError {
  const denied = deniedBody(error);
  if (denied) return new HttpError(error.status, denied);
  if (error.status === 0) return refusals.unavailable('the Kubernetes API cannot be reached at the moment');
  if (error.status === 429 || error.status === 503) {
    const seconds = Math.max(1, Math.ceil((error.retryAfterMs ?? 1000) / 1000));
    return new HttpError(503, { error: 'the Kubernetes API is busy' }, { 'Retry-After': String(seconds) });
  }
  if ([400, 403, 404, 409, 422].includes(error.status)) return say(error.status, error.message);
  return say(500, 'the Kubernetes API refused the request', error.message);
}
