// SPDX-License-Identifier: Apache-2.0
import { KubeError } from '@agenttier/machinery/kube/errors';
import type { StatusCause } from '@agenttier/machinery/kube/errors';
import { describe, expect, it } from 'vitest';
import { HttpError, isFault, toHttpError } from './errors.ts';

const denied = (status: number, message: string, causes?: StatusCause[]): KubeError =>
  new KubeError({
    status,
    reason: status === 403 ? 'Forbidden' : 'Invalid',
    message,
    body: { message, code: status, ...(causes ? { details: { causes } } : {}) },
  });

describe('toHttpError', () => {
  it('rebuilds a policy refusal with field, limit and actual', () => {
    const answer = toHttpError(
      denied(403, 'admission webhook "validate.agenttier.io" denied the request: Sandbox "a" is refused', [
        {
          reason: 'cpu_limit_exceeded',
          field: 'spec.resources.limits.cpu',
          message: JSON.stringify({
            message: 'more than allowed',
            limit: '2',
            actual: '8',
            scope: 'cluster',
          }),
        },
        { reason: 'template_not_allowed', field: 'spec.templateRef.name', message: 'not in the list' },
      ]),
    );
    expect(answer.status).toBe(403);
    expect(answer.body).toEqual({
      error: 'policy_violation',
      message: 'Sandbox "a" is refused',
      violations: [
        {
          code: 'cpu_limit_exceeded',
          field: 'spec.resources.limits.cpu',
          message: 'more than allowed',
          limit: '2',
          actual: '8',
          scope: 'cluster',
        },
        { code: 'template_not_allowed', field: 'spec.templateRef.name', message: 'not in the list' },
      ],
    });
  });

  it('keeps 422 with a sentence and the fields, from the webhook and from the schema', () => {
    const answer = toHttpError(
      denied(422, 'Sandbox "a" is invalid', [
        { reason: 'FieldValueInvalid', field: 'spec.timeout', message: 'must match a duration' },
        { reason: 'invalid_value', field: 'metadata.name', message: '{not json' },
      ]),
    );
    expect(answer.status).toBe(422);
    expect(answer.body).toEqual({
      error: 'Sandbox "a" is invalid',
      violations: [
        { code: 'invalid_value', field: 'spec.timeout', message: 'must match a duration' },
        { code: 'invalid_value', field: 'metadata.name', message: '{not json' },
      ],
    });
  });

  const rows: [name: string, error: unknown, status: number, words: RegExp][] = [
    ['RBAC, which is no policy', denied(403, 'users "x" cannot create'), 403, /cannot create/],
    [
      'a name that is taken',
      new KubeError({ status: 409, reason: 'AlreadyExists', message: 'exists' }),
      409,
      /exists/,
    ],
    [
      'no answer',
      new KubeError({ status: 0, reason: 'NetworkError', message: 'connect 10.0.0.1' }),
      503,
      /reached/,
    ],
    [
      'a busy server',
      new KubeError({ status: 429, reason: 'TooManyRequests', message: 'slow' }),
      503,
      /busy/,
    ],
    ['an odd answer', new KubeError({ status: 418, reason: 'Unknown', message: 'teapot' }), 500, /refused/],
    ['bad JSON', { type: 'entity.parse.failed', status: 400 }, 400, /valid JSON/],
    ['a big body', { type: 'entity.too.large', status: 413, limit: 10 }, 413, /10 bytes/],
    ['a broken path', new URIError('URI malformed'), 400, /percent/],
    ['a bug', new TypeError('x is not a function at /secret/path'), 500, /^internal error$/],
    ['not even an error', null, 500, /^internal error$/],
  ];
  it.each(rows)('%s', (_name, error, status, words) => {
    const answer = toHttpError(error);
    expect(answer).toBeInstanceOf(HttpError);
    expect(answer.status).toBe(status);
    expect(answer.body.error).toMatch(words);
    expect(isFault(answer)).toBe(status >= 500);
  });

  it('asks for patience in whole seconds', () => {
    const busy = new KubeError({
      status: 503,
      reason: 'ServiceUnavailable',
      message: 'x',
      retryAfterMs: 1500,
    });
    expect(toHttpError(busy).headers['Retry-After']).toBe('2');
  });
});
