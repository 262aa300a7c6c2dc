// SPDX-License-Identifier: Apache-2.0
import { errorFromResponse, networkError } from '@agenttier/machinery/kube/errors';
import { describe, expect, it } from 'vitest';
import { routerError } from '../client/router.ts';
import { CommandError, describeFailure, withoutSecret } from './failure.ts';

const causes = [
  {
    reason: 'cpu_limit_exceeded',
    field: 'spec.resources.limits.cpu',
    message: '{"message":"CPU limit is over the maximum","limit":"4","actual":"8","scope":"cluster"}',
  },
  {
    reason: 'timeout_exceeded',
    field: 'spec.timeout',
    message: 'timeout is over the maximum (limit 8h, actual 24h)',
  },
];
const denied = errorFromResponse(403, {
  kind: 'Status',
  reason: 'Forbidden',
  code: 403,
  message:
    'admission webhook "validate.sandboxes.agenttier.io" denied the request: Sandbox "big" is refused for 2 reasons:\n  - spec',
  details: { name: 'big', group: 'agenttier.io', kind: 'Sandbox', causes },
});

describe('describeFailure', () => {
  it('prints every violation on a line of its own, with field, limit and actual value', () => {
    expect(describeFailure(denied)).toEqual({
      exitCode: 1,
      lines: [
        'Error from server (Forbidden): admission webhook "validate.sandboxes.agenttier.io" denied the request: Sandbox "big" is refused for 2 reasons:',
        '  spec.resources.limits.cpu: CPU limit is over the maximum (limit 4, actual 8) [cpu_limit_exceeded]',
        '  spec.timeout: timeout is over the maximum (limit 8h, actual 24h) [timeout_exceeded]',
      ],
    });
  });

  const invalid = errorFromResponse(422, {
    kind: 'Status',
    reason: 'Invalid',
    code: 422,
    message: 'Sandbox.agenttier.io "x" is invalid: [spec.timeout: Invalid value: "1d": no, spec.env: no]',
    details: {
      causes: [
        { reason: 'FieldValueInvalid', field: 'spec.timeout', message: 'Invalid value: "1d": no' },
        { reason: 'field_not_supported', field: 'spec.env', message: 'comes later [field_not_supported]' },
        { reason: 'field_not_supported', field: 'spec.env', message: 'comes later [field_not_supported]' },
      ],
    },
  });

  it.each([
    [
      'an invalid object',
      invalid,
      [
        'Error from server (Invalid): Sandbox.agenttier.io "x" is invalid:',
        '  spec.timeout: Invalid value: "1d": no [FieldValueInvalid]',
        '  spec.env: comes later [field_not_supported]',
      ],
    ],
    [
      'the API server away',
      networkError('connect ECONNREFUSED 127.0.0.1:6443'),
      ['error: unable to reach the API server: connect ECONNREFUSED 127.0.0.1:6443'],
    ],
    ['our own refusal', new CommandError('no'), ['error: no']],
    [
      'a router’s sentence',
      routerError(404, '{"error":"sandbox x not found"}'),
      ['Error from router (NotFound): sandbox x not found'],
    ],
    [
      'a router’s code',
      routerError(401, '{"error":"invalid_api_key","message":"this API key is unknown"}'),
      ['Error from router (invalid_api_key): this API key is unknown'],
    ],
    [
      'a router’s violations',
      routerError(
        403,
        '{"error":"policy_violation","message":"refused","violations":[{"code":"c","field":"spec.timeout","message":"too long","limit":"8h","actual":"9h"}]}',
      ),
      ['Error from router (policy_violation): refused', '  spec.timeout: too long (limit 8h, actual 9h) [c]'],
    ],
    [
      'a page that is no router',
      routerError(502, '<html>Bad gateway</html>'),
      ['Error from router (502): <html>Bad gateway</html>'],
    ],
    [
      'several failures',
      new AggregateError([new CommandError('one', 3), new CommandError('two')]),
      ['error: one', 'error: two'],
    ],
  ])('%s', (_name, error, lines) => {
    expect(describeFailure(error).lines).toEqual(lines);
  });

  it('keeps the exit code of a command error', () => {
    expect(describeFailure(new CommandError('slow', 124)).exitCode).toBe(124);
  });
});

describe('withoutSecret', () => {
  it('hides the key wherever it stands', () => {
    expect(withoutSecret('https://x/?k=atk_123&k=atk_123', 'atk_123')).toBe(
      'https://x/?k=[hidden]&k=[hidden]',
    );
    expect(withoutSecret('nothing', undefined)).toBe('nothing');
  });
});
