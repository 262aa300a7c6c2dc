// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from 'vitest';
import { countWrites } from './audit.ts';

const line = (verb: string, objectRef: object, code = 200): string =>
  `${JSON.stringify({ verb, objectRef, responseStatus: { code } })}\n`;

describe('the audit log', () => {
  const log =
    line('create', { resource: 'pods' }, 201) +
    line('patch', { resource: 'sandboxes', subresource: 'status' }) +
    line('patch', { resource: 'sandboxes', subresource: 'status' }, 409);

  it('is counted by verb and resource, refusals as well', () => {
    const { total, refused, by } = countWrites(log);
    expect({ total, refused, by }).toEqual({
      total: 3,
      refused: 1,
      by: { 'create pods': 1, 'patch sandboxes/status': 2 },
    });
  });

  it('is read on from where the last reading ended, without a line that is just being written', () => {
    const first = countWrites(`${log}{"verb":"cre`);
    expect(first.end).toBe(log.length);
    expect(countWrites(log + line('delete', { resource: 'pods' }), first.end).by).toEqual({
      'delete pods': 1,
    });
  });
});
