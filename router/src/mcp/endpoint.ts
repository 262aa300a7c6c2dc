// SPDX-License-Identifier: Apache-2.0
import { INSTRUCTIONS } from '@agenttier/crds/mcp/tools';
import type { Logger } from '@agenttier/machinery/telemetry/log';
import type { RequestHandler } from 'express';
import type { Handlers } from '../api/contract.ts';
import { refusals } from '../api/errors.ts';
import { API_VERSION } from '../api/reference/operations.ts';
import { authenticate } from '../auth/authenticate.ts';
import type { AuthenticateOptions } from '../auth/authenticate.ts';
import { hostIsOwn, originAllowed } from '../auth/origin.ts';
import type { Gate } from '../ratelimit/gate.ts';
import { toolsFor } from './tools.ts';

export interface McpOptions {
  readonly handlers: Handlers;
  readonly auth: AuthenticateOptions;
  readonly gate: Gate;
  readonly corsOrigins: readonly string[];
  readonly log: Logger;
}

/**
 * The tools over the streamable HTTP transport of MCP, for the same credentials as REST. The package behind it costs 35 MB
 * of memory and a quarter of a second to load, so a replica that nobody asks for tools never does.
 */
export function mcpEndpoint(options: McpOptions): RequestHandler {
  const { handlers, auth, gate, corsOrigins, log } = options;
  const identity = { name: 'agenttier', version: API_VERSION, instructions: INSTRUCTIONS };
  const onError = (err: Error): void => log.debug({ err }, 'a message of MCP was refused');
  return async (request, response) => {
    response.locals['route'] = '/mcp';
    const origin = request.get('Origin');
    if (!pageAllowed(origin, request.get('Host'), corsOrigins)) throw refusals.originRefused(String(origin));
    const address = gate.addressOf(request);
    gate.request(address);
    const credentials = { apiKey: request.get('X-API-Key'), authorization: request.get('Authorization') };
    const principal = await authenticate({ ...credentials, address }, auth);
    gate.person(principal.sub, 1);
    response.locals['sub'] = principal.sub;
    const { serveExchange } = await import('@agenttier/machinery/mcp/overHttp');
    const onFault = (err: unknown): void =>
      log.error({ err, request_id: response.locals['requestId'] }, 'a tool failed');
    const charge = charger(gate, principal.sub);
    const source = toolsFor(handlers, { principal, sourceIp: address, charge, onFault });
    response.set('Cache-Control', 'no-store');
    await serveExchange({ request, response, identity, source, onError });
  };
}

/** The message itself has been counted: the first use in it is that one, each further one of a batch is one more. */
function charger(gate: Pick<Gate, 'person'>, sub: string): (count: number) => void {
  let paid = 1;
  return (count) => {
    const due = count - paid;
    paid = 0;
    if (due > 0) gate.person(sub, due);
  };
}

/**
 * Pages of the allowed origins only, and those that this server itself hands out at a local name or an address. A page of
 * another name that leads here (DNS rebinding) has an Origin equal to its Host, so equality alone proves nothing.
 */
function pageAllowed(
  origin: string | undefined,
  host: string | undefined,
  allowed: readonly string[],
): boolean {
  if (origin === undefined || allowed.includes(origin)) return true;
  if (!originAllowed(origin, host, allowed)) return false;
  return hostIsOwn(host, allowed);
}
