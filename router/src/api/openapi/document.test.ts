// SPDX-License-Identifier: Apache-2.0
import { Type } from 'typebox';
import { describe, expect, it } from 'vitest';
import { ROUTES } from '../contract.ts';
import type { Route } from '../route.ts';
import { openApiDocument } from './document.ts';

// oxlint-disable-next-line typescript/no-explicit-any -- the test looks into a document of any shape
type Json = any;

const documentOf = (routes: readonly Route[]): Json =>
  JSON.parse(JSON.stringify(openApiDocument(routes, '1.0.0')));

const base = { tag: 'Things', summary: 'Does.', answers: { 204: 'nothing' } } as const;

describe('the document of one route', () => {
  const thing = Type.Object({ name: Type.String() }, { title: 'Thing' });
  const route: Route = {
    ...base,
    method: 'put',
    path: '/things/:id/parts/*path',
    operation: 'putThing',
    query: Type.Object({ force: Type.Optional(Type.Boolean({ description: 'even so' })) }),
    body: { schema: thing, limit: 10 },
    answers: { 200: Type.Object({ things: Type.Array(thing) }) },
  };
  const operation = documentOf([route]).paths['/things/{id}/parts/{path}'].put;

  it('has every parameter of the path and of the query', () => {
    expect(operation.parameters).toMatchObject([
      { name: 'id', in: 'path', required: true },
      { name: 'path', in: 'path', required: true, 'x-rest-of-path': true },
      { name: 'force', in: 'query', required: false, schema: { type: 'boolean' }, description: 'even so' },
    ]);
  });

  it('writes a titled schema down once', () => {
    const reference = { $ref: '#/components/schemas/Thing' };
    expect(operation.requestBody.content['application/json'].schema).toEqual(reference);
    expect(operation.responses['200'].content['application/json'].schema.properties.things.items).toEqual(
      reference,
    );
    expect(documentOf([route]).components.schemas.Thing).toMatchObject({
      type: 'object',
      required: ['name'],
    });
  });

  it('names the failures that it can have', () => {
    expect(Object.keys(operation.responses)).toEqual([
      '200',
      '400',
      '401',
      '403',
      '404',
      '409',
      '413',
      '415',
      '422',
      '429',
      '503',
      'default',
    ]);
  });

  it('refuses two schemas of one title', () => {
    const other = Type.Object({ size: Type.Integer() }, { title: 'Thing' });
    const second: Route = {
      ...base,
      method: 'get',
      path: '/others',
      operation: 'o',
      answers: { 200: other },
    };
    expect(() => openApiDocument([route, second], '1')).toThrow('two schemas have the title Thing');
  });
});

it('tells bytes, events and nothing apart', () => {
  const answers = { 200: 'bytes', 201: 'events', 204: 'nothing' } as const;
  const { responses } = documentOf([{ ...base, method: 'get', path: '/x', operation: 'x', answers }]).paths[
    '/x'
  ].get;
  expect(Object.keys(responses['200'].content)).toEqual(['*/*']);
  expect(Object.keys(responses['201'].content)).toEqual(['text/event-stream']);
  expect(responses['204'].content).toBeUndefined();
});

describe('the document of all routes', () => {
  const document = documentOf(ROUTES);

  it('gives every operation a name of its own', () => {
    const names = ROUTES.map(({ operation }) => operation);
    expect(new Set(names).size).toBe(names.length);
  });

  it('refers to nothing that it does not hold', () => {
    const references = [...JSON.stringify(document).matchAll(/"#\/components\/(\w+)\/(\w+)"/g)];
    expect(references.length).toBeGreaterThan(20);
    for (const [, kind = '', name = ''] of references) {
      expect(document.components[kind]?.[name], `${kind}/${name}`).toBeDefined();
    }
  });

  it('asks for a credential everywhere but for itself and for how to sign in, and where a link leads for its ticket', () => {
    expect(document.security).toEqual([{ apiKey: [] }, { bearer: [] }]);
    const open = Object.entries<Json>(document.paths).filter(([, methods]) =>
      Object.values<Json>(methods).some(({ security }) => security !== undefined),
    );
    expect(Object.fromEntries(open.map(([path, { get, post }]) => [path, (get ?? post).security]))).toEqual({
      '/auth/config': [],
      '/auth/session': [],
      '/auth/session/renewal': [],
      '/openapi.json': [],
      '/sandboxes/{id}/download': [{ ticket: [] }],
    });
  });
});
