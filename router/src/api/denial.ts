// SPDX-License-Identifier: Apache-2.0
import type { KubeError, StatusCause } from '@agenttier/machinery/kube/errors';

/** Body of every answer that is not a success. `error` is a code for programs in a few known cases, else a sentence. */
export interface ErrorBody {
  readonly error: string;
  readonly message?: string;
  readonly [detail: string]: unknown;
}

/** One reason of a refusal on the wire. */
export interface WireViolation {
  readonly code: string;
  readonly field: string;
  readonly message: string;
  readonly limit?: string | number;
  readonly actual?: string | number;
  readonly scope?: string;
}

/** The API server puts this in front of whatever a webhook says; the sentence after it is what people need. */
const WEBHOOK_PREFIX = /^admission webhook "[^"]*" denied the request: /;

/** Ours are snake_case words; the API server's own cause types are CamelCase (FieldValueInvalid). */
const OUR_CODE = /^[a-z][a-z0-9_]*$/;

/**
 * The body for a refusal by admission or by the schema, or undefined when the error is neither. Policy is 403 with
 * `error: "policy_violation"`, by which clients recognise it; a malformed object is 422 with a sentence in `error`.
 */
export function deniedBody(error: KubeError): ErrorBody | undefined {
  const causes = error.body?.details?.causes ?? [];
  if (causes.length === 0 || (error.status !== 403 && error.status !== 422)) return undefined;
  const violations = causes.map(violationOf);
  const text = error.message.replace(WEBHOOK_PREFIX, '');
  if (error.status === 422) return { error: text, violations };
  if (!causes.some((cause) => OUR_CODE.test(cause.reason ?? ''))) return undefined;
  return { error: 'policy_violation', message: text, violations };
}

function violationOf(cause: StatusCause): WireViolation {
  const reason = cause.reason ?? '';
  return {
    code: OUR_CODE.test(reason) ? reason : 'invalid_value',
    field: cause.field ?? '',
    ...numbersOf(cause.message ?? ''),
  };
}

/** A cause has no room for numbers, so our webhook puts them, with the sentence, into a JSON object in `message`. */
function numbersOf(message: string): Pick<WireViolation, 'message' | 'limit' | 'actual' | 'scope'> {
  if (!message.startsWith('{')) return { message };
  let value: unknown;
  try {
    value = JSON.parse(message);
  } catch {
    return { message };
  }
  if (typeof value !== 'object' || value === null) return { message };
  const { message: sentence, limit, actual, scope } = value as Record<string, unknown>;
  if (typeof sentence !== 'string') return { message };
  return {
    message: sentence,
    ...(isNumeric(limit) ? { limit } : {}),
    ...(isNumeric(actual) ? { actual } : {}),
    ...(typeof scope === 'string' ? { scope } : {}),
  };
}

const isNumeric = (value: unknown): value is string | number =>
  typeof value === 'string' || typeof value === 'number';
