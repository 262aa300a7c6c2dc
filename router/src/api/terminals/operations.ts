// SPDX-License-Identifier: Apache-2.0
import { mayDo } from '../../auth/authorize.ts';
import type { SandboxFinder } from '../../cluster/finder.ts';
import type { TicketDesk } from '../../terminal/door/ticketDesk.ts';
import type { Handlers } from '../contract.ts';
import { admitTo } from '../sandboxes/operations.ts';

export interface TerminalsOptions {
  readonly finder: SandboxFinder;
  readonly tickets: Pick<TicketDesk, 'issue'>;
}

export function terminalOperations(options: TerminalsOptions): Pick<Handlers, 'createTerminalTicket'> {
  return {
    createTerminalTicket: async (call) => {
      const { sandbox, role } = await admitTo(options, call, 'watch');
      const watching = call.body.mode === 'view' || !mayDo(role, 'terminal');
      const { text, expiresAt } = options.tickets.issue(call.principal, sandbox, watching ? 'viewer' : role);
      const mode = watching ? 'view' : 'control';
      return {
        status: 201,
        body: { ticket: text, mode, expiresAt: new Date(expiresAt).toISOString() },
      };
    },
  };
}
