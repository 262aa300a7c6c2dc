// SPDX-License-Identifier: Apache-2.0
import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import type { Logger } from '@agenttier/machinery/telemetry/log';
import { WebSocketServer } from 'ws';
import type { WebSocket } from 'ws';
import { isFault, refusals, toHttpError } from '../api/errors.ts';
import { authenticate } from '../auth/authenticate.ts';
import type { AuthenticateOptions } from '../auth/authenticate.ts';
import { mayDo, scopeRefusal } from '../auth/authorize.ts';
import { originAllowed } from '../auth/origin.ts';
import { awaitTarget } from '../cluster/awaitTarget.ts';
import type { Stores } from '../cluster/caches.ts';
import type { SandboxFinder } from '../cluster/finder.ts';
import type { Wake } from '../cluster/wake.ts';
import { refuseUpgrade } from '../middleware/refuseUpgrade.ts';
import { PTY_PROTOCOL_V2 } from '@agenttier/crds/wire/terminal';
import type { Admission, TerminalGateway } from './gateway.ts';
import { readTerminalRequest } from './request.ts';
import type { TerminalRequest } from './request.ts';

export interface UpgradeOptions {
  readonly auth: AuthenticateOptions;
  readonly stores: Pick<Stores, 'sandboxes' | 'pods' | 'keys'>;
  readonly finder: Pick<SandboxFinder, 'find'>;
  readonly corsOrigins: readonly string[];
  readonly gateway: TerminalGateway;
  readonly wake: Wake;
  /** Why nobody can be served at the moment; undefined when somebody can. */
  readonly unavailable: () => string | undefined;
  /** Where a request comes from. */
  readonly addressOf: (request: IncomingMessage) => string;
  /** A request that was refused, for the count. */
  readonly observe: (status: number) => void;
  readonly log: Logger;
}

/** One paste of two megabytes is the most that a single message may carry; longer ones come in several. */
const MAX_MESSAGE = 2 * 1024 * 1024;

/** Is this a request for a WebSocket? Anything else that asks for an upgrade (h2c) is an ordinary request to us. */
export const wantsWebSocket = (request: IncomingMessage): boolean =>
  request.headers.upgrade?.toLowerCase() === 'websocket';

/** Handler of a server's `upgrade` event. Every refusal is a plain HTTP answer, before the connection is a WebSocket. */
export function upgradeHandler(options: UpgradeOptions) {
  const server = new WebSocketServer({
    noServer: true,
    perMessageDeflate: false,
    maxPayload: MAX_MESSAGE,
    // Without an answer to what was offered a browser drops the connection; older clients offer nothing.
    handleProtocols: (offered) => (offered.has(PTY_PROTOCOL_V2) ? PTY_PROTOCOL_V2 : false),
  });
  server.on('wsClientError', (error, socket) => refuseUpgrade(socket, refusals.badRequest(error.message)));
  return (request: IncomingMessage, socket: Duplex, head: Buffer): void => {
    const onError = (): void => void socket.destroy();
    socket.on('error', onError);
    // Waking a sandbox takes a while: nobody must be waited for who has left.
    const left = new AbortController();
    socket.once('close', () => left.abort());
    admit(options, request, left.signal).then(
      (admission) => {
        socket.off('error', onError);
        server.handleUpgrade(request, socket, head, (client: WebSocket) => {
          void options.gateway.open(client, admission);
        });
      },
      (error: unknown) => {
        const answer = toHttpError(error);
        const fields = { path: pathOnly(request.url), status: answer.status };
        if (isFault(answer)) options.log.error({ ...fields, err: error }, 'terminal request failed');
        else options.log.info({ ...fields, reason: answer.message }, 'terminal refused');
        options.observe(answer.status);
        refuseUpgrade(socket, answer);
      },
    );
  };
}

async function admit(
  options: UpgradeOptions,
  request: IncomingMessage,
  signal: AbortSignal,
): Promise<Admission> {
  const asked = readTerminalRequest(request.url ?? '/');
  if (!asked) throw refusals.noSuchRoute(request.method ?? 'GET', pathOnly(request.url));
  const unavailable = options.unavailable();
  if (unavailable !== undefined) throw refusals.unavailable(unavailable);
  const { origin, host } = request.headers;
  if (!originAllowed(origin, host, options.corsOrigins)) throw refusals.originRefused(String(origin));
  const address = options.addressOf(request);
  const principal = await authenticate({ ...credentialsOf(request, asked), address }, options.auth);
  const scope = scopeRefusal(principal, asked.pty.mode === 'view' ? 'watch' : 'terminal', asked.id);
  if (scope !== undefined) throw refusals.scopedKey(scope);
  if (options.gateway.isFull(principal.sub)) throw refusals.tooManyTerminals();
  const found = await options.finder.find(asked, principal);
  const { role } = found;
  const sandbox = await options.wake(found, { principal, signal });
  const target = await awaitTarget(options.stores, sandbox);
  // Whoever may only watch is shown the terminal, whatever the URL says.
  const mode = mayDo(role, 'terminal') ? asked.pty.mode : 'view';
  return {
    seat: { principal, sandboxUid: sandbox.metadata.uid, mode },
    sandbox,
    target,
    query: { ...asked.pty, mode },
    sourceIp: address,
  };
}

function credentialsOf(request: IncomingMessage, asked: TerminalRequest) {
  const apiKey = request.headers['x-api-key'];
  return {
    apiKey: Array.isArray(apiKey) ? apiKey[0] : apiKey,
    authorization: request.headers.authorization,
    queryToken: asked.token,
  };
}

/** Queries may carry a token: they never appear in a text. */
const pathOnly = (url: string | undefined): string => (url ?? '/').split('?')[0] ?? '/';
