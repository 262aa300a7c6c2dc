// SPDX-License-Identifier: Apache-2.0
import type { Violation, ViolationCode } from '@agenttier/crds/meta/violation';
import type { ErrorBody } from '@agenttier/crds/wire/problem';
import type { KubeError, StatusCause } from '@agenttier/machinery/kube/errors';

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

function violationOf(cause: StatusCause): Violation {
  const reason = cause.reason ?? '';
  return {
    // A newer webhook may know more codes than we do: they are handed on as they are.
    code: OUR_CODE.test(reason) ? (reason as ViolationCode) : 'invalid_value',
    field: cause.field ?? '',
    ...numbersOf(cause.message ?? ''),
  };
}

/** A cause has no room for numbers, so our webhook puts them, with the sentence, into a JSON object in `message`. */
function numbersOf(message: string): Pick<Violation, 'message' | 'limit' | 'actual' | 'scope'> {
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
    ...(scope === 'cluster' || scope === 'namespace' ? { scope } : {}),
  };
}

const isNumeric = (value: unknown): value is string | number =>
  typeof value === 'string' || typeof value === 'number';
