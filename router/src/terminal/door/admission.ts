// SPDX-License-Identifier: Apache-2.0
import type { IncomingMessage } from 'node:http';
import { refusals } from '../../api/errors.ts';
import { authenticate } from '../../auth/authenticate.ts';
import type { AuthenticateOptions } from '../../auth/authenticate.ts';
import { mayDo, scopeRefusal } from '../../auth/authorize.ts';
import { refuseForeignPage } from '../../auth/origin.ts';
import type { Principal } from '../../auth/principal.ts';
import type { Ticket } from '../../auth/tickets.ts';
import { awaitTarget } from '../../cluster/awaitTarget.ts';
import type { Stores } from '../../cluster/caches.ts';
import type { SandboxFinder } from '../../cluster/finder.ts';
import type { Found } from '../../cluster/lookup.ts';
import type { Wake } from '../../cluster/wake.ts';
import type { Admission, TerminalGateway } from '../gateway.ts';
import { pathOnly, readOffer, readTerminalRequest } from './request.ts';
import type { TerminalRequest } from './request.ts';
import type { TicketDesk } from './ticketDesk.ts';

export interface AdmissionOptions {
  readonly auth: AuthenticateOptions;
  readonly stores: Pick<Stores, 'sandboxes' | 'pods' | 'keys'>;
  readonly finder: Pick<SandboxFinder, 'find'>;
  readonly corsOrigins: readonly string[];
  readonly gateway: Pick<TerminalGateway, 'isFull' | 'isFullFor'>;
  readonly wake: Wake;
  readonly tickets: Pick<TicketDesk, 'read' | 'spend'>;
  /** Why nobody can be served at the moment; undefined when somebody can. */
  readonly unavailable: () => string | undefined;
  /** Where a request comes from. */
  readonly addressOf: (request: IncomingMessage) => string;
}

interface Caller {
  readonly principal: Principal;
  readonly ticket?: Ticket;
}

/** Judges a request for a terminal, up to the pod that it leads to. Throws the refusal. */
export async function admit(
  options: AdmissionOptions,
  request: IncomingMessage,
  signal: AbortSignal,
): Promise<Admission> {
  const asked = readTerminalRequest(request.url ?? '/');
  if (!asked) throw refusals.noSuchRoute(request.method ?? 'GET', pathOnly(request.url));
  const caller = await letIn(options, request, asked);
  const { principal } = caller;
  const found = await options.finder.find(asked, principal);
  if (caller.ticket) checkSandbox(caller.ticket, found);
  const sandbox = await options.wake(found, { principal, signal });
  const target = await awaitTarget(options.stores, sandbox);
  const mode = modeOf(found, caller, asked);
  // Last of all: who is refused for another reason may come again with the same ticket.
  const spent = caller.ticket ? await options.tickets.spend(caller.ticket, target) : {};
  return {
    seat: { principal, sandboxUid: sandbox.metadata.uid, mode },
    sandbox,
    target,
    query: { ...asked.pty, mode, who: nameOf(principal), ...spent },
    sourceIp: options.addressOf(request),
  };
}

/** Everything that can be judged without a look at the sandbox. */
async function letIn(
  options: AdmissionOptions,
  request: IncomingMessage,
  asked: TerminalRequest,
): Promise<Caller> {
  const unavailable = options.unavailable();
  if (unavailable !== undefined) throw refusals.unavailable(unavailable);
  const { auth, corsOrigins } = options;
  if (options.gateway.isFullFor(options.addressOf(request))) throw refusals.tooManyTerminalsFrom();
  refuseForeignPage(request.headers, { corsOrigins, devAuth: auth.devAuth });
  const caller = await callerOf(options, request, asked);
  const scope = scopeRefusal(caller.principal, asked.pty.mode === 'view' ? 'watch' : 'terminal', asked.id);
  if (scope !== undefined) throw refusals.scopedKey(scope);
  if (options.gateway.isFull(caller.principal.sub)) throw refusals.tooManyTerminals();
  return caller;
}

/** Whoever may only watch is shown the terminal, whatever the URL says. */
function modeOf({ role }: Found, { ticket }: Caller, { pty }: TerminalRequest): 'control' | 'view' {
  const may = mayDo(role, 'terminal') && (ticket === undefined || mayDo(ticket.role, 'terminal'));
  return may ? pty.mode : 'view';
}

async function callerOf(
  { auth, tickets, addressOf }: AdmissionOptions,
  request: IncomingMessage,
  asked: TerminalRequest,
): Promise<Caller> {
  const offer = readOffer(request.headers['sec-websocket-protocol']);
  const ticket = asked.ticket ?? offer.ticket;
  if (ticket !== undefined) return tickets.read(ticket);
  const apiKey = request.headers['x-api-key'];
  const bearer = offer.bearer === undefined ? undefined : `Bearer ${offer.bearer}`;
  const credentials = {
    apiKey: Array.isArray(apiKey) ? apiKey[0] : apiKey,
    authorization: bearer ?? request.headers.authorization,
    queryToken: asked.token,
    address: addressOf(request),
  };
  return { principal: await authenticate(credentials, auth) };
}

/** A sandbox that was made anew under the same name is another one. */
function checkSandbox(ticket: Ticket, { sandbox }: Found): void {
  if (ticket.sandboxUid !== sandbox.metadata.uid)
    throw refusals.invalidTicket('this ticket is for another sandbox');
}

const LONGEST_NAME = 64;

/** How the others who are attached see somebody. */
export const nameOf = ({ name, email, sub }: Principal): string =>
  Array.from(name || email || sub)
    .slice(0, LONGEST_NAME)
    .join('');
