// SPDX-License-Identifier: Apache-2.0
import type { SandboxSpec } from '@agenttier/crds/generated/types';
import { parseDuration } from '@agenttier/crds/meta/duration';
import { isDnsLabel } from '@agenttier/crds/meta/names';

export interface FieldProblem {
  readonly field: string;
  readonly message: string;
}

export interface CreateRequest {
  readonly name: string;
  readonly namespace: string;
  readonly metadata: { readonly labels?: TextMap; readonly annotations?: TextMap };
  readonly spec: SandboxSpec;
}

type TextMap = Readonly<Record<string, string>>;

export type CreateResult = { ok: true; request: CreateRequest } | { ok: false; problems: FieldProblem[] };

type Fields = Readonly<Record<string, unknown>>;

/** Parts of the spec that are handed on as they are: the schema and admission judge what is inside. */
export const PASSED_ON = {
  mode: 'text',
  image: 'object',
  resources: 'object',
  storage: 'object',
  network: 'object',
  env: 'array',
  backup: 'object',
  runtimeClass: 'text',
  identity: 'object',
  serviceAccount: 'text',
  security: 'object',
  credentials: 'array',
  sidecars: 'array',
  initContainers: 'array',
  harness: 'object',
  files: 'array',
  initScripts: 'array',
  runInitScripts: 'text',
  desiredState: 'text',
  templateUpdatePolicy: 'text',
  warmPool: 'text',
  ports: 'array',
  agentConfig: 'object',
  autoResume: 'boolean',
} as const;
const SHAPES = {
  object: { fits: (value: unknown) => isObject(value), words: 'an object' },
  array: { fits: (value: unknown) => Array.isArray(value), words: 'a list' },
  text: { fits: (value: unknown) => typeof value === 'string', words: 'a string' },
  boolean: { fits: (value: unknown) => typeof value === 'boolean', words: 'true or false' },
} as const;
const DURATIONS = ['timeout', 'idleTimeout', 'gracePeriod'] as const;

/**
 * Reads the body of a create. Only what the API server could not word well is checked here; every problem is reported
 * at once. Unknown fields are ignored, as older clients rely on.
 */
export function readCreate(body: unknown, defaultNamespace: string): CreateResult {
  if (!isObject(body))
    return { ok: false, problems: [{ field: '', message: 'the body must be a JSON object' }] };
  const problems: FieldProblem[] = [];
  const name = readLabel(body['name'], 'name', problems);
  const namespace = readLabel(body['namespace'] || defaultNamespace, 'namespace', problems);
  const metadata = readMaps(body, problems);
  const spec = {
    templateRef: readTemplateRef(body['templateRef'], problems),
    ...readDurations(body, problems),
    ...readParts(body, problems),
  };
  if (problems.length > 0) return { ok: false, problems };
  return { ok: true, request: { name, namespace, metadata, spec: spec as unknown as SandboxSpec } };
}

const isObject = (value: unknown): value is Fields =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

function readLabel(value: unknown, field: string, problems: FieldProblem[]): string {
  if (typeof value !== 'string' || value === '') {
    problems.push({ field, message: 'is required' });
    return '';
  }
  if (!isDnsLabel(value)) {
    problems.push({
      field,
      message:
        'must be at most 63 lower-case letters, digits and hyphens, starting and ending with a letter or digit',
    });
  }
  return value;
}

function readTemplateRef(value: unknown, problems: FieldProblem[]): Fields | undefined {
  if (!isObject(value) || typeof value['name'] !== 'string' || value['name'] === '') {
    problems.push({ field: 'templateRef.name', message: 'is required' });
    return undefined;
  }
  const ref: Record<string, string> = { name: value['name'] };
  for (const key of ['kind', 'namespace']) {
    const part = value[key];
    if (part === undefined || part === null || part === '') continue;
    if (typeof part === 'string') ref[key] = part;
    else problems.push({ field: `templateRef.${key}`, message: 'must be a string' });
  }
  return ref;
}

function readDurations(body: Fields, problems: FieldProblem[]): Fields {
  const found: Record<string, string> = {};
  for (const field of DURATIONS) {
    const value = body[field];
    if (isAbsent(value)) continue;
    if (typeof value === 'string' && parseDuration(value) !== undefined) found[field] = value;
    else problems.push({ field, message: 'must be a duration such as "30m", "1h30m" or "500ms"' });
  }
  return found;
}

function readParts(body: Fields, problems: FieldProblem[]): Fields {
  const found: Record<string, unknown> = {};
  for (const [field, shape] of Object.entries(PASSED_ON)) {
    const value = body[field];
    if (isAbsent(value)) continue;
    if (SHAPES[shape].fits(value)) found[field] = value;
    else problems.push({ field, message: `must be ${SHAPES[shape].words}` });
  }
  return found;
}

/** Clients of old send empty strings and nulls for what they do not set. */
const isAbsent = (value: unknown): boolean => value === undefined || value === null || value === '';

/** Labels and annotations of the object, as far as they are people's to set. */
function readMaps(body: Fields, problems: FieldProblem[]): CreateRequest['metadata'] {
  const found: Record<string, TextMap> = {};
  for (const field of ['labels', 'annotations'] as const) {
    const value = body[field];
    if (isAbsent(value)) continue;
    if (isObject(value) && Object.values(value).every((text) => typeof text === 'string')) {
      problems.push(...reservedKeys(field, value));
      found[field] = value as TextMap;
    } else problems.push({ field, message: 'must be an object of strings' });
  }
  return found;
}

/** What the platform writes down under its own name steers it: nobody else sets it by way of REST. */
export function reservedKeys(field: string, map: Fields): FieldProblem[] {
  return Object.keys(map)
    .filter((key) => /(^|\.)agenttier\.io\//.test(key))
    .map((key) => ({ field: `${field}.${key}`, message: 'belongs to the platform; choose another prefix' }));
}
