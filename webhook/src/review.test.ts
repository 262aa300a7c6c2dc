// SPDX-License-Identifier: Apache-2.0
import { Buffer } from 'node:buffer';
import type { Violation } from '@agenttier/crds/meta/violation';
import { describe, expect, it } from 'vitest';
import { answer, faultAnswer, parseReview } from './review.ts';
import type { AdmissionRequest } from './review.ts';

const request: AdmissionRequest = {
  uid: 'u-1',
  kind: { group: 'agenttier.io', version: 'v1alpha1', kind: 'Sandbox' },
  operation: 'CREATE',
  namespace: 'team-a',
  name: 'dev',
  userInfo: { username: 'alice' },
};

const cpu: Violation = {
  code: 'cpu_limit_exceeded',
  field: 'spec.resources.limits.cpu',
  message: '8 is over the limit of 4',
  limit: '4',
  actual: '8',
  scope: 'cluster',
};
const shape: Violation = {
  code: 'invalid_value',
  field: 'spec.storage.mountPath',
  message: 'must be absolute',
};

describe('parseReview', () => {
  const review = { apiVersion: 'admission.k8s.io/v1', kind: 'AdmissionReview', request };

  it('accepts what the API server sends', () => {
    expect(parseReview(review)).toEqual({ ok: true, request });
  });

  it.each([
    ['nothing', undefined],
    ['a string', 'AdmissionReview'],
    ['a list', [review]],
    ['the retired v1beta1', { ...review, apiVersion: 'admission.k8s.io/v1beta1' }],
    ['another kind', { ...review, kind: 'ConversionReview' }],
    ['no request', { ...review, request: undefined }],
    ['no uid', { ...review, request: { ...request, uid: '' } }],
    ['an unknown operation', { ...review, request: { ...request, operation: 'PEEK' } }],
    ['no kind', { ...review, request: { ...request, kind: null } }],
    ['no user', { ...review, request: { ...request, userInfo: undefined } }],
  ])('refuses %s', (_what, body) => {
    expect(parseReview(body)).toMatchObject({ ok: false });
  });
});

describe('answer', () => {
  it('echoes the uid and sends no patch when nothing changed', () => {
    expect(answer(request, { violations: [], patch: [] })).toEqual({
      apiVersion: 'admission.k8s.io/v1',
      kind: 'AdmissionReview',
      response: { uid: 'u-1', allowed: true },
    });
  });

  it('sends a base64 JSON patch', () => {
    const patch = [{ op: 'add', path: '/spec/mode', value: 'code' }] as const;
    const { response } = answer(request, { violations: [], patch });
    expect(response.patchType).toBe('JSONPatch');
    expect(JSON.parse(Buffer.from(response.patch ?? '', 'base64').toString('utf8'))).toEqual(patch);
  });

  it('lists every violation in the message, one per line, and never a patch', () => {
    const verdict = { violations: [cpu, shape], patch: [{ op: 'remove', path: '/spec' } as const] };
    const { response } = answer(request, verdict);
    expect(response.allowed).toBe(false);
    expect(response.patch).toBeUndefined();
    expect(response.status?.message.split('\n')).toEqual([
      'Sandbox "dev" is refused for 2 reasons:',
      '  - spec.resources.limits.cpu: 8 is over the limit of 4 [cpu_limit_exceeded]',
      '  - spec.storage.mountPath: must be absolute [invalid_value]',
    ]);
  });

  it.each([
    ['policy alone', [cpu], 403, 'Forbidden'],
    ['policy and shape', [shape, cpu], 403, 'Forbidden'],
    ['shape alone', [shape], 422, 'Invalid'],
  ])('%s', (_what, violations, code, reason) => {
    expect(answer(request, { violations }).response.status).toMatchObject({ code, reason });
  });

  it('gives programs the numbers in the causes', () => {
    const details = answer(request, { violations: [cpu, shape] }).response.status?.details;
    expect(details).toMatchObject({ group: 'agenttier.io', kind: 'Sandbox', name: 'dev' });
    const [first, second] = details?.causes ?? [];
    expect(first).toMatchObject({ reason: 'cpu_limit_exceeded', field: 'spec.resources.limits.cpu' });
    expect(JSON.parse(first?.message ?? '')).toEqual({
      message: cpu.message,
      limit: '4',
      actual: '8',
      scope: 'cluster',
    });
    expect(second?.message).toBe('must be absolute');
  });

  it('says the code in the causes of an invalid object, since kubectl prints nothing else of it', () => {
    const causes = answer(request, { violations: [shape] }).response.status?.details?.causes;
    expect(causes?.map((cause) => cause.message)).toEqual(['must be absolute [invalid_value]']);
  });

  it('names an object that has only a generateName', () => {
    const { name: _name, ...nameless } = request;
    const generated = { ...nameless, object: { metadata: { generateName: 'dev-' } } };
    expect(answer(generated, { violations: [cpu] }).response.status?.details?.name).toBe('dev-');
  });

  it('keeps warnings to one short line each, once', () => {
    const { response } = answer(request, { violations: [], warnings: ['a\nb', 'a\nb', 'x'.repeat(300)] });
    expect(response.warnings?.[0]).toBe('a b');
    expect(response.warnings).toHaveLength(2);
    expect(response.warnings?.[1]).toHaveLength(120);
  });

  it('hands audit annotations on, also for a refusal', () => {
    const audit = { codes: 'cpu_limit_exceeded' };
    expect(answer(request, { violations: [cpu], audit }).response.auditAnnotations).toEqual(audit);
  });
});

describe('faultAnswer', () => {
  it('refuses without pretending to be a verdict', () => {
    const { response } = faultAnswer(request, 504, 'too late');
    expect(response).toMatchObject({ allowed: false, status: { code: 504, reason: 'Timeout' } });
  });
});
