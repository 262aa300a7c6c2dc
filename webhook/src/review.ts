// SPDX-License-Identifier: Apache-2.0
import { Buffer } from 'node:buffer';
import type { JsonPatchOp } from '@agenttier/crds/meta/jsonPatch';
import { statusOf } from '@agenttier/crds/meta/violation';
import type { Violation } from '@agenttier/crds/meta/violation';

export type Operation = 'CREATE' | 'UPDATE' | 'DELETE' | 'CONNECT';

/** Who sent the request, as the API server authenticated (or impersonated) them. */
export interface UserInfo {
  readonly username?: string;
  readonly uid?: string;
  readonly groups?: readonly string[];
  readonly extra?: Readonly<Record<string, readonly string[]>>;
}

/** The part of admission.k8s.io/v1 AdmissionRequest that we read. `object` is null on DELETE, `oldObject` on CREATE. */
export interface AdmissionRequest {
  readonly uid: string;
  readonly kind: { readonly group: string; readonly version: string; readonly kind: string };
  readonly operation: Operation;
  readonly name?: string;
  readonly namespace?: string;
  readonly subResource?: string;
  readonly dryRun?: boolean;
  readonly userInfo: UserInfo;
  readonly object?: unknown;
  readonly oldObject?: unknown;
}

/** What a handler decides. An empty `violations` list allows; `patch` is only meaningful when allowed. */
export interface Verdict {
  readonly violations: readonly Violation[];
  /** There is an object of that name already: the request gets the answer that the API server's store would give. */
  readonly exists?: boolean;
  readonly patch?: readonly JsonPatchOp[];
  readonly warnings?: readonly string[];
  /** Simple keys: the API server puts the webhook's name and a slash in front of each. */
  readonly audit?: Readonly<Record<string, string>>;
}

/** Judges one request. `signal` aborts at our own deadline: hand it on to every call to the API server. */
export type Handler = (request: AdmissionRequest, signal: AbortSignal) => Promise<Verdict> | Verdict;

export interface StatusCause {
  readonly reason: string;
  readonly field: string;
  readonly message: string;
}

export interface AdmissionResponse {
  readonly uid: string;
  readonly allowed: boolean;
  readonly patchType?: 'JSONPatch';
  readonly patch?: string;
  readonly warnings?: readonly string[];
  readonly auditAnnotations?: Readonly<Record<string, string>>;
  readonly status?: {
    readonly status: 'Failure';
    readonly code: number;
    readonly reason: string;
    readonly message: string;
    readonly details?: {
      readonly group: string;
      readonly kind: string;
      readonly name: string;
      readonly causes: readonly StatusCause[];
    };
  };
}

export interface AdmissionReview {
  readonly apiVersion: 'admission.k8s.io/v1';
  readonly kind: 'AdmissionReview';
  readonly response: AdmissionResponse;
}

export type ParsedReview =
  | { readonly ok: true; readonly request: AdmissionRequest }
  | { readonly ok: false; readonly message: string };

export const ALLOW: Verdict = { violations: [] };

/** Kubernetes asks webhooks to stay within 120 characters a warning (extensible admission controllers, "Response"). */
const WARNING_LIMIT = 120;

const OPERATIONS: ReadonlySet<string> = new Set(['CREATE', 'UPDATE', 'DELETE', 'CONNECT']);

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function requestFault(request: unknown): string | undefined {
  if (!isRecord(request) || typeof request['uid'] !== 'string' || request['uid'] === '') {
    return 'AdmissionReview.request.uid is missing';
  }
  const { operation, kind, userInfo } = request;
  if (typeof operation !== 'string' || !OPERATIONS.has(operation)) {
    return 'AdmissionReview.request.operation is not a known operation';
  }
  const complete = isRecord(kind) && typeof kind['kind'] === 'string' && isRecord(userInfo);
  return complete ? undefined : 'AdmissionReview.request needs kind and userInfo';
}

/** Checks the envelope of an AdmissionReview; the objects inside are the handlers' to judge. */
export function parseReview(body: unknown): ParsedReview {
  if (!isRecord(body) || body['kind'] !== 'AdmissionReview' || body['apiVersion'] !== 'admission.k8s.io/v1') {
    return { ok: false, message: 'expected an admission.k8s.io/v1 AdmissionReview' };
  }
  const message = requestFault(body['request']);
  return message === undefined
    ? { ok: true, request: body['request'] as AdmissionRequest }
    : { ok: false, message };
}

/** Many messages begin with their field, which the line has named already. */
function sentence({ field, message, code }: Violation): string {
  const text = message.startsWith(`${field} `) ? message.slice(field.length + 1) : message;
  return `${text} [${code}]`;
}

/**
 * A cause's `message`. kubectl shows causes, and then only causes, for an Invalid object: there the sentence with the
 * code, as in the message of the whole. Otherwise nobody but programs reads them: one JSON object
 * `{message, limit?, actual?, scope?}` when there are numbers, so that none has to be picked out of prose.
 */
function causeMessage(violation: Violation, code: number): string {
  const { message, limit, actual, scope } = violation;
  if (code === 422) {
    return sentence(violation);
  }
  if (limit === undefined && actual === undefined && scope === undefined) {
    return message;
  }
  return JSON.stringify({ message, limit, actual, scope });
}

function subjectName(request: AdmissionRequest): string {
  if (request.name) {
    return request.name;
  }
  const metadata = isRecord(request.object) ? request.object['metadata'] : undefined;
  const named = isRecord(metadata) ? (metadata['name'] ?? metadata['generateName']) : undefined;
  return typeof named === 'string' ? named : '';
}

/** The sentence people see: one line per violation, since kubectl prints nothing but the message of a 403. */
export function denialMessage(kind: string, name: string, violations: readonly Violation[]): string {
  const reasons = violations.length === 1 ? '1 reason' : `${violations.length} reasons`;
  const lines = violations.map((v) => `  - ${v.field}: ${sentence(v)}`);
  return [`${kind} ${JSON.stringify(name)} is refused for ${reasons}:`, ...lines].join('\n');
}

function denialStatus(
  request: AdmissionRequest,
  violations: readonly Violation[],
): NonNullable<AdmissionResponse['status']> {
  const code = statusOf(violations);
  const { group, kind } = request.kind;
  const name = subjectName(request);
  return {
    status: 'Failure',
    code,
    reason: code === 422 ? 'Invalid' : 'Forbidden',
    message: denialMessage(kind, name, violations),
    details: {
      group,
      kind,
      name,
      causes: violations.map((v) => ({ reason: v.code, field: v.field, message: causeMessage(v, code) })),
    },
  };
}

function existsStatus(request: AdmissionRequest): NonNullable<AdmissionResponse['status']> {
  const message = `${request.kind.kind} ${JSON.stringify(subjectName(request))} already exists`;
  return { status: 'Failure', code: 409, reason: 'AlreadyExists', message };
}

/** Warnings travel in an HTTP header: control characters would make the API server drop them (RFC 7234, 5.5). */
function tidyWarnings(warnings: readonly string[]): string[] {
  const tidy = warnings.map((text) => {
    // oxlint-disable-next-line no-control-regex -- control characters are exactly what must go
    const line = text.replaceAll(/[\u0000-\u001f\u007f]+/g, ' ').trim();
    return line.length <= WARNING_LIMIT ? line : `${line.slice(0, WARNING_LIMIT - 1)}…`;
  });
  return [...new Set(tidy)];
}

function extras(verdict: Verdict): Pick<AdmissionResponse, 'warnings' | 'auditAnnotations'> {
  const warnings = tidyWarnings(verdict.warnings ?? []);
  return {
    ...(warnings.length > 0 ? { warnings } : {}),
    ...(verdict.audit ? { auditAnnotations: verdict.audit } : {}),
  };
}

function envelope(response: AdmissionResponse): AdmissionReview {
  return { apiVersion: 'admission.k8s.io/v1', kind: 'AdmissionReview', response };
}

/** Turns a verdict into the answer for `request`; a patch is sent only when it changes something. */
export function answer(request: AdmissionRequest, verdict: Verdict): AdmissionReview {
  const { uid } = request;
  if (verdict.exists) {
    return envelope({ uid, allowed: false, status: existsStatus(request), ...extras(verdict) });
  }
  if (verdict.violations.length > 0) {
    return envelope({
      uid,
      allowed: false,
      status: denialStatus(request, verdict.violations),
      ...extras(verdict),
    });
  }
  if (!verdict.patch || verdict.patch.length === 0) {
    return envelope({ uid, allowed: true, ...extras(verdict) });
  }
  const patch = Buffer.from(JSON.stringify(verdict.patch), 'utf8').toString('base64');
  return envelope({ uid, allowed: true, patchType: 'JSONPatch', patch, ...extras(verdict) });
}

/** A refusal that is no verdict on the object: our own deadline (504) or a fault of ours (500). Retrying may help. */
export function faultAnswer(request: AdmissionRequest, code: 500 | 504, message: string): AdmissionReview {
  const reason = code === 504 ? 'Timeout' : 'InternalError';
  return envelope({ uid: request.uid, allowed: false, status: { status: 'Failure', code, reason, message } });
}
