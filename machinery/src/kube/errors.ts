// SPDX-License-Identifier: Apache-2.0

/** One field-level cause of a refusal, as the API server and admission webhooks report it. */
export interface StatusCause {
  readonly reason?: string;
  readonly message?: string;
  readonly field?: string;
}

/** meta/v1 Status: the body of every failed API call. */
export interface StatusBody {
  readonly kind?: string;
  readonly status?: string;
  readonly message?: string;
  readonly reason?: string;
  readonly code?: number;
  readonly details?: {
    readonly name?: string;
    readonly group?: string;
    readonly kind?: string;
    readonly uid?: string;
    readonly retryAfterSeconds?: number;
    readonly causes?: readonly StatusCause[];
  };
}

interface KubeErrorFields {
  readonly status: number;
  readonly reason: string;
  readonly message: string;
  readonly retryAfterMs?: number | undefined;
  readonly body?: StatusBody | undefined;
  readonly cause?: unknown;
}

/**
 * A call to the API server that did not succeed. `status` is the HTTP code; it is 0, with reason `NetworkError`, when
 * no answer came at all, so that callers need one `instanceof` for "the cluster said no" and "the cluster is away".
 */
export class KubeError extends Error {
  override readonly name = 'KubeError';
  readonly status: number;
  readonly reason: string;
  readonly retryAfterMs?: number;
  readonly body?: StatusBody;

  constructor(fields: KubeErrorFields) {
    super(fields.message, fields.cause === undefined ? undefined : { cause: fields.cause });
    this.status = fields.status;
    this.reason = fields.reason;
    if (fields.retryAfterMs !== undefined) this.retryAfterMs = fields.retryAfterMs;
    if (fields.body !== undefined) this.body = fields.body;
  }
}

/** Reasons for answers that carry no Status body (a load balancer's page, an aggregated API's text). */
const REASONS: Readonly<Record<number, string>> = {
  400: 'BadRequest',
  401: 'Unauthorized',
  403: 'Forbidden',
  404: 'NotFound',
  405: 'MethodNotAllowed',
  409: 'Conflict',
  410: 'Expired',
  413: 'RequestEntityTooLarge',
  422: 'Invalid',
  429: 'TooManyRequests',
  500: 'InternalError',
  503: 'ServiceUnavailable',
  504: 'Timeout',
};

const isStatus = (body: unknown): body is StatusBody =>
  typeof body === 'object' && body !== null && (body as StatusBody).kind === 'Status';

/** Milliseconds asked for by a Retry-After header (seconds or an HTTP date, RFC 9110 10.2.3). */
export function parseRetryAfter(header: string | undefined, now: number = Date.now()): number | undefined {
  if (header === undefined || header.trim() === '') return undefined;
  const seconds = Number(header);
  if (Number.isFinite(seconds)) return Math.max(0, seconds * 1000);
  const date = Date.parse(header);
  return Number.isNaN(date) ? undefined : Math.max(0, date - now);
}

/** Error for an answered call; `body` is the parsed JSON or the raw text. */
export function errorFromResponse(status: number, body: unknown, retryAfter?: string): KubeError {
  const known: StatusBody = isStatus(body) ? body : { message: textOf(body) };
  const seconds = known.details?.retryAfterSeconds;
  return new KubeError({
    status,
    reason: known.reason || REASONS[status] || 'Unknown',
    message: known.message || `the API server answered ${status}`,
    retryAfterMs: parseRetryAfter(retryAfter) ?? (seconds === undefined ? undefined : seconds * 1000),
    body: isStatus(body) ? body : undefined,
  });
}

/** Error carried inside a watch stream as an event of type ERROR. */
export function errorFromWatch(object: unknown): KubeError {
  const code = isStatus(object) ? object.code : undefined;
  return errorFromResponse(code ?? 500, object);
}

/** Error for a call that got no answer: refused, reset, cut, timed out, or not understood. */
export function networkError(message: string, cause?: unknown): KubeError {
  return new KubeError({ status: 0, reason: 'NetworkError', message, cause });
}

function textOf(body: unknown): string {
  if (typeof body !== 'string') return '';
  const text = body.trim();
  return text.length > 300 ? `${text.slice(0, 300)}…` : text;
}

export const isKubeError = (error: unknown): error is KubeError => error instanceof KubeError;
export const isNotFound = (error: unknown): boolean => isKubeError(error) && error.status === 404;
export const isForbidden = (error: unknown): boolean => isKubeError(error) && error.status === 403;
export const isNetworkError = (error: unknown): boolean => isKubeError(error) && error.status === 0;
/** A write that lost against another: an outdated resourceVersion, or a field owned by somebody else. */
export const isConflict = (error: unknown): boolean =>
  isKubeError(error) && error.status === 409 && error.reason !== 'AlreadyExists';
export const isAlreadyExists = (error: unknown): boolean =>
  isKubeError(error) && error.status === 409 && error.reason === 'AlreadyExists';
/** The resource version asked for is compacted away: only a new list helps. */
export const isExpired = (error: unknown): boolean =>
  isKubeError(error) && (error.status === 410 || error.reason === 'Expired' || error.reason === 'Gone');
