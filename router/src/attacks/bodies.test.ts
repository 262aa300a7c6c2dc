// SPDX-License-Identifier: Apache-2.0
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { TSchema } from 'typebox';
import { ADMIN_KEY, Harness } from '../testing/harness.ts';
import { BODY_ROUTES, pathOf, READ_ROUTES } from '../testing/routePaths.ts';

let harness: Harness;
beforeAll(async () => {
  harness = await Harness.start();
  await harness.add({ name: 'box', owner: 'root', phase: 'Stopped' });
});
afterAll(() => harness.stop());

const call = (method: string, path: string, body?: string, headers: Record<string, string> = {}) =>
  harness.call(method, path, { key: ADMIN_KEY, headers, ...(body === undefined ? {} : { body }) });

/** Names that every object has without anybody having given them to it. */
const INHERITED = ['__proto__', 'constructor', 'toString', 'hasOwnProperty'];

describe('members that every object inherits', () => {
  const evil = '{"isAdmin":true,"polluted":"yes","prototype":{"polluted":"yes"}}';
  const members = `"__proto__":${evil},"constructor":${evil},"toString":${evil}`;
  const bodies = [
    `{${members}}`,
    `{"name":"evil",${members},"spec":{"templateRef":{"name":"shell"},${members}},"env":{${members}}}`,
  ];

  it.each(BODY_ROUTES)('change nothing for others: $name', async ({ method, path }) => {
    for (const body of bodies) expect((await call(method, path, body)).status).toBeLessThan(500);
    expect(({} as Record<string, unknown>)['polluted']).toBeUndefined();
    expect(({} as Record<string, unknown>)['isAdmin']).toBeUndefined();
    expect(typeof {}.toString).toBe('function');
  });

  it('are kept as any other in preferences, also when they are null', async () => {
    const body = '{"__proto__":{"a":1},"constructor":null,"b":2}';
    await call('PUT', '/api/v1/user/preferences', body);
    const { body: kept } = await call('GET', '/api/v1/user/preferences');
    expect(JSON.stringify(kept)).toBe(body);
  });

  it.each(
    READ_ROUTES.filter(({ path }) => path.includes(':')).map((route) => [route.operation, route] as const),
  )('are no names of anything: %s', async (_name, route) => {
    for (const name of INHERITED) {
      const { status, body } = await call('GET', pathOf(route, name));
      expect(status).toBeLessThan(500);
      expect(JSON.stringify(body) ?? '').not.toContain('native code');
    }
  });

  it.each(INHERITED)('are no query that matters: %s', async (name) => {
    for (const query of [
      `${name}=1`,
      `${name}[polluted]=yes`,
      `namespace=${name}`,
      `limit=1&${name}.polluted=yes`,
    ]) {
      expect((await call('GET', `/api/v1/sandboxes?${query}`)).status).toBeLessThan(500);
    }
    expect(({} as Record<string, unknown>)['polluted']).toBeUndefined();
  });
});

/**
 * Text that a pattern with overlapping repetitions would need hours for, where a good one needs milliseconds: each of these
 * tests fails by never ending.
 */
describe('text that keeps patterns busy', () => {
  const units = [
    '-',
    'a',
    '.',
    '/',
    ',',
    ' ',
    '0',
    'a-',
    'a.',
    '1h',
    '0.',
    ':',
    '=',
    '\\n',
    '_',
    '[',
    'A',
    '%',
  ];
  const hostile = (length: number): string[] =>
    units.map((unit) => `${unit.repeat(length / unit.length)}\u00e4!`);

  /** A body with the text in every place that takes one. */
  function filled(schema: TSchema, text: string, depth = 0): unknown {
    const { properties, items, type, anyOf } = schema as {
      properties?: Record<string, TSchema>;
      items?: TSchema;
      type?: string;
      anyOf?: readonly TSchema[];
    };
    if (anyOf?.[0]) return filled(anyOf[0], text, depth);
    if (properties && depth < 6) {
      const entries = Object.entries(properties).map(([name, each]) => [name, filled(each, text, depth + 1)]);
      return Object.fromEntries(entries);
    }
    if (type === 'array') return items ? [filled(items, text, depth + 1)] : [text];
    return type === 'object' ? specOf(text) : text;
  }

  const specOf = (text: string) => ({
    ...Object.fromEntries(
      ['name', 'image', 'timeout', 'idleTimeout', 'workingDir', 'mode'].map((name) => [name, text]),
    ),
    templateRef: { name: text },
    image: { repository: text },
    resources: { requests: { cpu: text, memory: text }, limits: { cpu: text } },
    env: [{ name: text, value: text }],
    network: { allowedDomains: [text], egress: [{ cidr: text }] },
    volumes: [{ name: text, mountPath: text }],
    sandbox: { image: text },
  });

  it.each(BODY_ROUTES)('is read to its end: $name', async ({ method, path, schema, limit }) => {
    const places = JSON.stringify(filled(schema, '')).split('""').length;
    const length = Math.min(Math.floor((limit * 0.9) / (places + 1)), 32 * 1024);
    for (const text of hostile(length)) {
      const { status } = await call(method, path, JSON.stringify(filled(schema, text)));
      expect(status).toBeLessThan(500);
    }
  });

  it.each([
    'authorization',
    'x-api-key',
    'if-match',
    'if-none-match',
    'range',
    'origin',
    'traceparent',
    'x-request-id',
    'x-forwarded-for',
    'forwarded',
    'accept',
    'cookie',
    'user-agent',
    'last-event-id',
    'content-type',
  ])('is read to its end in the header %s', async (name) => {
    for (const unit of units) {
      const value = `${unit.replace('\\n', '\t').repeat(12_000 / unit.length)}!`.trim();
      const { status } = await call('GET', '/api/v1/sandboxes', undefined, { [name]: value });
      expect(status).toBeLessThan(500);
    }
  });

  it.each(
    READ_ROUTES.map((route) => [route.operation, route] as const).filter(
      ([, { path }]) => !/events$|stream$/.test(path),
    ),
  )('is read to its end in path and query: %s', async (_name, route) => {
    for (const unit of ['-', 'a', '.', ',', '0', 'a-', '%2f', '_']) {
      const text = unit.repeat(4_000 / unit.length);
      const query = ['namespace', 'since', 'until', 'limit', 'continue', 'path', 'status'].map(
        (key) => `${key}=${text.slice(0, 500)}!`,
      );
      const { status } = await call('GET', `${pathOf(route, `${text.slice(0, 2_000)}!`)}?${query.join('&')}`);
      expect(status).toBeLessThan(500);
    }
  });
});
