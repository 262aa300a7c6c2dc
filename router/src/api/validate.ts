// SPDX-License-Identifier: Apache-2.0
import { Ajv } from 'ajv';
import type { ErrorObject, ValidateFunction } from 'ajv';
import type { TSchema } from 'typebox';
import { refusals } from './errors.ts';

/**
 * Requests against the schemas of their routes, with every problem named at once. A schema is compiled when it is first
 * used: most replicas see a few of the routes only, and each validator costs memory.
 */

interface FieldProblem {
  readonly field: string;
  readonly message: string;
}

const OPTIONS = { allErrors: true, strict: true, validateFormats: false, verbose: true } as const;
const bodies = new Ajv(OPTIONS);
/** Query values are text, whatever they mean. */
const queries = new Ajv({ ...OPTIONS, coerceTypes: true });

const compiled = new WeakMap<TSchema, ValidateFunction>();

function validatorOf(ajv: Ajv, schema: TSchema): ValidateFunction {
  const known = compiled.get(schema);
  if (known) return known;
  const fresh = ajv.compile(schema);
  compiled.set(schema, fresh);
  return fresh;
}

/**
 * The body, if it is what the schema says. Members that are null count as absent where the schema knows no null: clients
 * of old send null for what they do not set. Throws HttpError 400.
 */
export function checkedBody(schema: TSchema, body: unknown): unknown {
  const validate = validatorOf(bodies, schema);
  const given = withoutNulls(schema, body);
  if (!validate(given)) throw refusals.invalidFields(problemsOf(validate.errors ?? []));
  return given;
}

/** Throws HttpError 400 when a query parameter that the schema knows has a value that it does not allow. */
export function checkQuery(schema: TSchema, query: URLSearchParams): void {
  const validate = validatorOf(queries, schema);
  if (!validate(Object.fromEntries(query))) throw refusals.invalidFields(problemsOf(validate.errors ?? []));
}

function withoutNulls(schema: TSchema, body: unknown): unknown {
  if (typeof body !== 'object' || body === null || Array.isArray(body)) return body;
  const { properties: known = {} } = schema as { properties?: Record<string, TSchema> };
  const kept = Object.entries(body).filter(
    ([name, value]) => value !== null || !Object.hasOwn(known, name) || takesNull(known[name]),
  );
  return Object.fromEntries(kept);
}

function takesNull(schema: TSchema | undefined): boolean {
  const { type, anyOf } = (schema ?? {}) as { type?: string; anyOf?: readonly TSchema[] };
  return type === 'null' || (anyOf ?? []).some(takesNull);
}

/** One problem per place: the branches of a union each complain, which tells nobody anything. */
function problemsOf(errors: readonly ErrorObject[]): FieldProblem[] {
  const unions = errors.filter(({ keyword }) => keyword === 'anyOf').map(({ instancePath }) => instancePath);
  const found = new Map<string, FieldProblem>();
  for (const error of errors) {
    const ofBranch = error.keyword !== 'anyOf' && unions.some((path) => error.instancePath.startsWith(path));
    const field = fieldOf(error);
    if (!ofBranch && !found.has(field)) found.set(field, { field, message: messageOf(error) });
  }
  return [...found.values()];
}

/** `/items/0/name` as `items[0].name`. */
function fieldOf({ instancePath, keyword, params }: ErrorObject): string {
  const missing = keyword === 'required' ? [String(params['missingProperty'])] : [];
  const unknown = keyword === 'additionalProperties' ? [String(params['additionalProperty'])] : [];
  const parts = instancePath.split('/').slice(1).map(unescapePointer);
  return [...parts, ...missing, ...unknown].reduce(
    (path, part) => (/^\d+$/.test(part) ? `${path}[${part}]` : path === '' ? part : `${path}.${part}`),
    '',
  );
}

/** RFC 6901 section 4. */
const unescapePointer = (part: string): string => part.replaceAll('~1', '/').replaceAll('~0', '~');

const KINDS: Readonly<Record<string, string>> = {
  object: 'an object',
  array: 'a list',
  string: 'a string',
  integer: 'a whole number',
  number: 'a number',
  boolean: 'true or false',
};

const descriptionOf = (schema: unknown): string | undefined =>
  (schema as { description?: string } | undefined)?.description;

const MESSAGES: Readonly<Record<string, (error: ErrorObject) => string>> = {
  required: () => 'is required',
  additionalProperties: () => 'is not a member that is known here',
  type: ({ params }) => `must be ${KINDS[String(params['type'])] ?? params['type']}`,
  const: ({ params }) => `must be ${JSON.stringify(params['allowedValue'])}`,
  enum: ({ params }) => `must be one of ${(params['allowedValues'] as unknown[]).join(', ')}`,
  pattern: ({ parentSchema }) => `must be ${descriptionOf(parentSchema) ?? 'of another form'}`,
  anyOf: ({ parentSchema }) => `must be ${descriptionOf(parentSchema) ?? 'of one of the forms allowed'}`,
};

const messageOf = (error: ErrorObject): string =>
  MESSAGES[error.keyword]?.(error) ?? error.message ?? 'is not valid';
