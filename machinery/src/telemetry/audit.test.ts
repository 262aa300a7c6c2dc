// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from 'vitest';
import type { Occurrence } from '../events/recorder.ts';
import { actorHash, ANNOTATION_ACTOR_HASH, createAudit } from './audit.ts';
import { createLogger } from './log.ts';
import { withTrace } from './tracing.ts';

function setUp(salt?: string) {
  const lines: Record<string, unknown>[] = [];
  const events: Occurrence[] = [];
  const destination = {
    write: (line: string) => void lines.push(JSON.parse(line) as Record<string, unknown>),
  };
  const log = createLogger({ component: 'router', destination });
  const audit = createAudit({ log, recorder: { record: (event) => void events.push(event) }, salt });
  return { audit, lines, events };
}

const entry = {
  actor: { sub: 'alice', email: 'alice@example.com' },
  action: 'ExecRun',
  resource: 'Sandbox',
  namespace: 'team',
  name: 'one',
  uid: 'u-1',
  outcome: 'allowed',
  sourceIp: '192.0.2.7',
} as const;

describe('an act', () => {
  it('is one line that says who did what to what, how it ended, and in which trace', () => {
    const { audit, lines, events } = setUp();
    withTrace({ traceId: 'a'.repeat(32), spanId: 'b'.repeat(16), sampled: true }, () =>
      audit({ ...entry, outcome: 'denied', codes: ['not_owner'], requestUid: 'r-1' }),
    );
    expect(lines[0]).toMatchObject({
      audit: true,
      component: 'router',
      actor: { sub: 'alice', hash: actorHash('alice'), email: 'alice@example.com' },
      action: 'ExecRun',
      resource: 'Sandbox',
      namespace: 'team',
      name: 'one',
      uid: 'u-1',
      outcome: 'denied',
      codes: ['not_owner'],
      request_uid: 'r-1',
      source_ip: '192.0.2.7',
      trace_id: 'a'.repeat(32),
    });
    expect(events).toEqual([]);
  });

  it('is an Event that names nobody', () => {
    const { audit, events } = setUp('pepper');
    const regarding = { kind: 'Sandbox', metadata: { name: 'one', namespace: 'team' } };
    audit(entry, { regarding, type: 'Normal', note: 'A command was run' });
    expect(events).toEqual([
      {
        regarding,
        type: 'Normal',
        reason: 'ExecRun',
        note: 'A command was run',
        annotations: { [ANNOTATION_ACTOR_HASH]: actorHash('alice', 'pepper') },
      },
    ]);
    expect(JSON.stringify(events)).not.toContain('alice');
    expect(actorHash('alice', 'pepper')).toMatch(/^[0-9a-f]{8}$/);
    expect(actorHash('alice', 'pepper')).not.toBe(actorHash('alice'));
  });
});
