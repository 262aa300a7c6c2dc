// SPDX-License-Identifier: Apache-2.0
import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import type { Logger } from '@agenttier/machinery/telemetry/log';
import { WebSocketServer } from 'ws';
import type { WebSocket } from 'ws';
import { isFault, refusals, toHttpError } from '../../api/errors.ts';
import { PTY_PROTOCOL_V1, PTY_PROTOCOL_V2 } from '@agenttier/crds/wire/terminal';
import { admit } from './admission.ts';
import type { AdmissionOptions } from './admission.ts';
import { refuseUpgrade } from '../../middleware/refuseUpgrade.ts';
import type { TerminalGateway } from '../gateway.ts';
import { pathOnly } from './request.ts';

export interface UpgradeOptions extends AdmissionOptions {
  readonly gateway: TerminalGateway;
  /** A request that was refused, for the count. */
  readonly observe: (status: number) => void;
  readonly log: Logger;
}

/** A paste of 1 MiB in one message, whatever is in it: JSON may need six bytes for one. */
const MAX_MESSAGE = 6 * 1024 * 1024 + 1024;

/** Is this a request for a WebSocket? Anything else that asks for an upgrade (h2c) is an ordinary request to us. */
export const wantsWebSocket = (request: IncomingMessage): boolean =>
  request.headers.upgrade?.toLowerCase() === 'websocket';

/** Handler of a server's `upgrade` event. Every refusal is a plain HTTP answer, before the connection is a WebSocket. */
export function upgradeHandler(options: UpgradeOptions) {
  const server = new WebSocketServer({
    noServer: true,
    perMessageDeflate: false,
    maxPayload: MAX_MESSAGE,
    // Without an answer to what was offered a browser drops the connection; older clients offer nothing. A credential
    // among what is offered is never the answer.
    handleProtocols: (offered) =>
      [PTY_PROTOCOL_V2, PTY_PROTOCOL_V1].find((protocol) => offered.has(protocol)) ?? false,
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
