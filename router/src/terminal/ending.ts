// SPDX-License-Identifier: Apache-2.0
import type { Sandbox } from '@agenttier/crds/generated/types';
import { activeHold } from '@agenttier/crds/lifecycle/hold';
import { CLOSE_CODES } from '@agenttier/crds/wire/terminal';
import type { CloseReason } from '@agenttier/crds/wire/terminal';
import type { StoreEvent } from '@agenttier/machinery/reflector/store';
import { phaseOf, wantsToRun } from '../api/sandboxes/view.ts';
import { mayDo, roleOn } from '../auth/authorize.ts';
import type { Principal } from '../auth/principal.ts';

/** Why a terminal is ended by us: the frame's reason and the WebSocket close code. */
export interface Ending {
  readonly reason: string;
  readonly code: number;
}

const ending = (reason: CloseReason): Ending => ({ reason, code: CLOSE_CODES[reason] });

/** 4001, 4003 and 4008 tell clients not to come back; 1011 and 1012 (RFC 6455 registry) invite a new attempt. */
export const ENDINGS = {
  stopped: ending('sandbox_stopped'),
  idle: ending('idle_timeout'),
  deleted: ending('sandbox_deleted'),
  revoked: ending('access_revoked'),
  expired: ending('session_expired'),
  lost: ending('error'),
  draining: { reason: 'router_drain', code: 1012 },
} as const satisfies Record<string, Ending>;

/** Who sits at a terminal, and on which incarnation of the sandbox. */
export interface Seat {
  readonly principal: Principal;
  readonly sandboxUid: string | undefined;
  readonly mode: 'control' | 'view';
}

/** Why the sandbox stops or has stopped; a stop that the operator decided shows in the condition Held, not in the spec. */
function stopReasonOf(sandbox: Sandbox): string | undefined {
  if (!wantsToRun(sandbox)) return 'UserRequested';
  return activeHold(sandbox)?.reason ?? (phaseOf(sandbox) === 'Stopped' ? 'Stopped' : undefined);
}

/** Whether a change of the sandbox ends the terminal, and how. */
export function endingFor(event: StoreEvent<Sandbox>, seat: Seat): Ending | undefined {
  const { metadata } = event.object;
  const replaced = metadata.uid !== seat.sandboxUid;
  if (event.type === 'deleted' || replaced || metadata.deletionTimestamp !== undefined)
    return ENDINGS.deleted;
  const stop = stopReasonOf(event.object);
  if (stop !== undefined) return stop === 'IdleTimeout' ? ENDINGS.idle : ENDINGS.stopped;
  const role = roleOn(seat.principal, event.object);
  const needed = seat.mode === 'view' ? 'watch' : 'terminal';
  return role !== undefined && mayDo(role, needed) ? undefined : ENDINGS.revoked;
}
