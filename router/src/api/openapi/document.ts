// SPDX-License-Identifier: Apache-2.0
import type { TObject, TSchema } from 'typebox';
import { EVERY_KEY, groupOf } from '../../auth/authorize.ts';
import type { Answer, Route } from '../route.ts';
import { Problem } from '../schemas.ts';
import { Components } from './components.ts';
import type { JsonSchema } from './components.ts';
import { STANDARD_PROBLEMS } from './problems.ts';

type Fields = Readonly<Record<string, unknown>>;

export interface OpenApiDocument {
  readonly openapi: '3.1.0';
  readonly info: Fields;
  readonly servers: readonly Fields[];
  readonly tags: readonly Fields[];
  readonly paths: Readonly<Record<string, Readonly<Record<string, Fields>>>>;
  readonly components: Readonly<Record<string, Fields>>;
  readonly security: readonly Fields[];
}

/** The OpenAPI 3.1 document of a list of routes, and of nothing else. */
export function openApiDocument(routes: readonly Route[], version: string): OpenApiDocument {
  const components = new Components();
  const paths: Record<string, Record<string, Fields>> = {};
  const sorted = [...routes].sort((a, b) => (a.path < b.path ? -1 : a.path > b.path ? 1 : 0));
  for (const route of sorted) {
    const operations = (paths[templateOf(route.path)] ??= {});
    operations[route.method] = operationOf(route, components);
  }
  return {
    openapi: '3.1.0',
    info: {
      title: 'AgentTier',
      version,
      description: 'Isolated, governed sandboxes for AI agents.',
      license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
    },
    servers: [{ url: '/api/v1' }],
    tags: [...new Set(routes.map(({ tag }) => tag))].sort().map((name) => ({ name })),
    paths,
    components: {
      securitySchemes: SECURITY_SCHEMES,
      responses: problemResponses(components),
      schemas: components.all(),
    },
    security: [{ apiKey: [] }, { bearer: [] }],
  };
}

const SECURITY_SCHEMES = {
  apiKey: { type: 'apiKey', in: 'header', name: 'X-API-Key' },
  bearer: { type: 'http', scheme: 'bearer', bearerFormat: 'JWT' },
  ticket: { type: 'apiKey', in: 'query', name: 'ticket' },
} as const;

/** `/sandboxes/:id/files/*path` as OpenAPI writes it. */
export const templateOf = (path: string): string => path.replaceAll(/[:*](\w+)/g, '{$1}');

function problemResponses(components: Components): Fields {
  const content = { 'application/json': { schema: components.refer(Problem) } };
  const named = Object.values(STANDARD_PROBLEMS).map(({ name, description }) => [
    name,
    { description, content },
  ]);
  const other = { description: 'Any other failure.', content };
  return Object.fromEntries([...named, ['Other', other]]);
}

function operationOf(route: Route, components: Components): Fields {
  const { operation, tag, summary, body, open, ticket } = route;
  const description = whoMay(route);
  return {
    operationId: operation,
    tags: [tag],
    summary,
    ...(description === undefined ? {} : { description }),
    ...(open ? { security: [] } : {}),
    ...(ticket ? { security: [{ ticket: [] }] } : {}),
    ...parametersOf(route, components),
    ...(body === undefined ? {} : { requestBody: requestBodyOf(body, components) }),
    responses: responsesOf(route, components),
  };
}

/** Who may ask for it, as far as the route alone can tell. */
export function whoMay({ admin, action, open }: Route): string | undefined {
  if (open) return 'No credential is asked for.';
  if (admin) return 'For administrators.';
  if (action === undefined) return undefined;
  const group = groupOf(action);
  if (group === EVERY_KEY) return 'For every key that is bound to the sandbox, too.';
  return group === undefined
    ? 'Not for keys that are bound to one sandbox.'
    : `A key that is bound to one sandbox needs \`${group}\`.`;
}

const HEADER_TEXTS = {
  'If-None-Match': 'an ETag; while it still holds the answer is 304 without a body',
  'If-Match': 'the ETag that the change was made from; when it no longer holds the answer is 412',
} as const;

const headerParameter = (name: keyof typeof HEADER_TEXTS): Fields => ({
  name,
  in: 'header',
  required: false,
  schema: { type: 'string' },
  description: HEADER_TEXTS[name],
});

function parametersOf(route: Route, components: Components): Fields {
  const parameters = [
    ...[...route.path.matchAll(/([:*])(\w+)/g)].map(([, mark, name = '']) => pathParameter(name, mark)),
    ...queryParameters(route.query, components),
    ...(hasEtag(route) ? [headerParameter('If-None-Match')] : []),
    ...(route.ifMatch ? [headerParameter('If-Match')] : []),
  ];
  return parameters.length === 0 ? {} : { parameters };
}

const pathParameter = (name: string, mark: string | undefined): Fields => ({
  name,
  in: 'path',
  required: true,
  schema: { type: 'string', minLength: 1 },
  ...(mark === '*'
    ? {
        description: 'the rest of the path; its segments are percent-encoded one by one',
        'x-rest-of-path': true,
      }
    : {}),
});

function queryParameters(query: TObject | undefined, components: Components): Fields[] {
  const required = new Set(query?.required ?? []);
  return Object.entries(query?.properties ?? {}).map(([name, schema]) => {
    const { description, ...rest } = components.refer(schema);
    return {
      name,
      in: 'query',
      required: required.has(name),
      schema: rest,
      ...(description === undefined ? {} : { description }),
    };
  });
}

function requestBodyOf(body: NonNullable<Route['body']>, components: Components): Fields {
  if (body === 'raw') return { required: true, content: { 'application/octet-stream': { schema: {} } } };
  return {
    required: body.optional !== true,
    content: { 'application/json': { schema: components.refer(body.schema) } },
  };
}

const isJson = (answer: Answer | undefined): answer is TSchema => typeof answer === 'object';

/** Every JSON answer to a GET carries one. */
const hasEtag = ({ method, answers }: Route): boolean => method === 'get' && isJson(answers[200]);

function responsesOf(route: Route, components: Components): Fields {
  const own = Object.entries(route.answers).map(([status, answer]) => [
    status,
    responseOf(answer, hasEtag(route), components),
  ]);
  const standard = Object.entries(STANDARD_PROBLEMS)
    .filter(([status, { of }]) => !(Number(status) in route.answers) && of(route))
    .map(([status, { name }]) => [status, { $ref: `#/components/responses/${name}` }]);
  return Object.fromEntries([
    ...own,
    ...(hasEtag(route) ? [['304', { description: 'What `If-None-Match` names still holds.' }]] : []),
    ...standard,
    ['default', { $ref: '#/components/responses/Other' }],
  ]);
}

const ETAG = { ETag: { schema: { type: 'string' } } };

function responseOf(answer: Answer, etag: boolean, components: Components): Fields {
  if (answer === 'nothing') return { description: 'Done.' };
  if (answer === 'bytes') {
    // Their type is that of the file, or of the format that was asked for.
    return { description: 'The bytes.', content: { '*/*': { schema: {} } } };
  }
  if (answer === 'events') {
    const schema: JsonSchema = { type: 'string' };
    return { description: 'Server-sent events.', content: { 'text/event-stream': { schema } } };
  }
  return {
    description: 'Done.',
    ...(etag ? { headers: ETAG } : {}),
    content: { 'application/json': { schema: components.refer(answer) } },
  };
}
