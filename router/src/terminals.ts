// SPDX-License-Identifier: Apache-2.0
import { connectPty } from './terminal/pod/connect.ts';
import { openExecLink } from './terminal/pod/execFallback.ts';
import { TerminalGateway } from './terminal/gateway.ts';
import type { Parts } from './parts.ts';

/** Terminals of this replica. */
export function createGateway(parts: Parts): TerminalGateway {
  const { stores, config, metrics, runtime, activity, access, log } = parts;
  const paths = {
    runtime,
    viaApiServer: openExecLink(access),
    onFallback: metrics.fallback,
    pingMs: config.terminalPingMs,
    onEcho: (seconds: number) => metrics.terminals.echo(seconds),
  };
  return new TerminalGateway({
    sandboxes: stores.sandboxes,
    apiKeys: stores.apiKeys,
    perPerson: config.terminalsPerPerson,
    perAddress: config.terminalsPerAddress,
    connect: (target, query) => connectPty(paths, target, query),
    renew: (ticket, admission) => parts.tickets.renew(ticket, admission),
    touch: activity.touch,
    audit: parts.audit,
    observer: metrics.terminals,
    pingMs: config.terminalPingMs,
    log,
  });
}
