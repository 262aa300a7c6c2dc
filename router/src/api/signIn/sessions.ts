// SPDX-License-Identifier: Apache-2.0
import type { Audit } from '@agenttier/machinery/telemetry/audit';
import type { SessionDesk, SessionState } from '../../auth/session/desk.ts';
import type { Gate } from '../../ratelimit/gate.ts';
import type { Handlers } from '../contract.ts';
import { refusals } from '../errors.ts';
import type { Call, Reply } from '../route.ts';

export interface SessionOptions {
  /** Absent = sign-ins are not kept in cookies here. */
  readonly sessions: Pick<SessionDesk, 'begin' | 'sessionOf' | 'renew' | 'end'> | undefined;
  readonly gate: Pick<Gate, 'signIn' | 'person'>;
  readonly audit: Audit;
}

/** Sessions of browsers. A bad code or cookie counts against its address as any bad credential does. */
export function sessionOperations({
  sessions,
  gate,
  audit,
}: SessionOptions): Pick<Handlers, 'beginSession' | 'renewSession' | 'endSession'> {
  const desk = () => {
    if (sessions === undefined) throw refusals.noSessions();
    return sessions;
  };
  const tell = (action: string, sub: string, { sourceIp }: Call, email = ''): void =>
    audit({ actor: { sub, email }, action, resource: 'Session', outcome: 'allowed', sourceIp });
  return {
    beginSession: async (call) => {
      const begin = () => desk().begin(call.headers, call.body);
      const state = await gate.signIn(call.sourceIp ?? '', call.body.code, begin);
      const { sub = '', email = '' } = state.principal ?? {};
      gate.person(sub, 1);
      tell('SessionStarted', sub, call, email);
      return replyOf(state);
    },
    renewSession: async (call) => {
      const session = desk().sessionOf(call.headers);
      // Nobody has tried anything: it counts against no address.
      if (session === undefined) throw refusals.noSession();
      gate.person(session.sub, 1);
      const renew = () => desk().renew(session);
      return replyOf(await gate.signIn(call.sourceIp ?? '', session.idToken, renew));
    },
    endSession: async (call) => {
      const { sub, cookies } = await desk().end(call.headers);
      if (sub !== undefined) tell('SessionEnded', sub, call);
      return { status: 204, cookies };
    },
  };
}

const replyOf = ({ expiresAt, cookies }: SessionState): Reply => ({
  status: 200,
  body: { expiresAt: new Date(expiresAt).toISOString() },
  ...(cookies && { cookies }),
});
