// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from 'vitest';
import {
  errorFromResponse,
  errorFromWatch,
  isAlreadyExists,
  isConflict,
  isExpired,
  isForbidden,
  isNetworkError,
  isNotFound,
  networkError,
  parseRetryAfter,
} from './errors.ts';
import { apiVersionOf, LEASES, NODES, pathOf, PODS } from './resource.ts';
import { retryDelay } from './retry.ts';

const status = (code: number, reason: string) => errorFromResponse(code, { kind: 'Status', code, reason });

describe('errors', () => {
  it.each([
    ['not found', status(404, 'NotFound'), isNotFound],
    ['forbidden', status(403, 'Forbidden'), isForbidden],
    ['conflict', status(409, 'Conflict'), isConflict],
    ['already exists', status(409, 'AlreadyExists'), isAlreadyExists],
    ['expired', status(410, 'Expired'), isExpired],
    ['gone in a stream', errorFromWatch({ kind: 'Status', code: 410, reason: 'Gone' }), isExpired],
    ['network', networkError('away'), isNetworkError],
  ])('%s', (_name, error, is) => {
    const all = [isNotFound, isForbidden, isConflict, isAlreadyExists, isExpired, isNetworkError];
    expect(all.filter((test) => test(error))).toEqual([is]);
  });

  it('takes the waiting time from the header or from the body', () => {
    expect(errorFromResponse(429, 'slow down', '3').retryAfterMs).toBe(3000);
    const body = { kind: 'Status', details: { retryAfterSeconds: 2 } };
    expect(errorFromResponse(429, body).retryAfterMs).toBe(2000);
    expect(errorFromResponse(429, body, '5').retryAfterMs).toBe(5000);
  });

  it.each([
    ['7', 7000],
    ['-1', 0],
    ['', undefined],
    ['soon', undefined],
    ['Thu, 01 Jan 2026 00:00:10 GMT', 10_000],
  ])('Retry-After %j is %s ms', (header, expected) => {
    expect(parseRetryAfter(header, Date.UTC(2026, 0, 1))).toBe(expected);
  });

  it('spreads repetitions and gives up after the fourth attempt', () => {
    const busy = status(503, 'ServiceUnavailable');
    expect([1, 2, 3, 4].map((attempt) => retryDelay(busy, attempt, () => 0))).toEqual([
      100,
      200,
      400,
      undefined,
    ]);
    expect(retryDelay(busy, 1, () => 1)).toBe(150);
    expect(retryDelay(status(404, 'NotFound'), 1, () => 0)).toBeUndefined();
  });
});

describe('paths', () => {
  it.each([
    [PODS, {}, undefined, '/api/v1/pods'],
    [PODS, { namespace: 'a b' }, undefined, '/api/v1/namespaces/a%20b/pods'],
    [PODS, { namespace: 'n', name: 'p' }, 'status', '/api/v1/namespaces/n/pods/p/status'],
    [NODES, { namespace: 'ignored', name: 'n' }, undefined, '/api/v1/nodes/n'],
    [
      LEASES,
      { namespace: 'n', name: '../x' },
      undefined,
      '/apis/coordination.k8s.io/v1/namespaces/n/leases/..%2Fx',
    ],
  ])('%j %j', (resource, key, subresource, path) => {
    expect(pathOf(resource, key, subresource)).toBe(path);
  });

  it('names versions with their group', () => {
    expect([apiVersionOf(PODS), apiVersionOf(LEASES)]).toEqual(['v1', 'coordination.k8s.io/v1']);
  });
});
