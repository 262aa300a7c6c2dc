// SPDX-License-Identifier: Apache-2.0
import type { IncomingMessage } from 'node:http';
import { opensHost } from '@agenttier/crds/egress/domains';
import type { Logger } from '@agenttier/machinery/telemetry/log';
import type { Caller, Callers } from '../identity/callers.ts';
import type { GatewayMetrics } from '../metrics.ts';
import type { Resolve } from '../names/resolve.ts';
import type { Flow, Flows } from './flows.ts';
import type { Refusal, Target } from './refusal.ts';
import { peerAddress, podUidIn } from './request.ts';
import type { Read } from './request.ts';

/** How a request came: as a tunnel, or in the open. */
export type Kind = 'connect' | 'http';

export interface GateParts {
  readonly callers: Callers;
  readonly flows: Flows;
  readonly resolve: Resolve;
  readonly log: Logger;
  readonly metrics: GatewayMetrics;
}

/** A request that may go on: to one of these addresses. `close` is called when it has ended. */
export interface Pass {
  readonly caller: Caller;
  readonly target: Target;
  readonly addresses: readonly string[];
  readonly close: () => void;
}

export type Decision = { readonly pass: Pass } | { readonly refusal: Refusal };

export interface Asked {
  readonly request: IncomingMessage;
  readonly read: Read<{ readonly target: Target }>;
  readonly cut: () => void;
  readonly signal: AbortSignal;
}

/** The one place where it is decided whether a sandbox gets somewhere, and where that is written down. */
export class Gate {
  readonly #parts: GateParts;

  constructor(parts: GateParts) {
    this.#parts = parts;
    parts.callers.pods.subscribe(({ object, old }) => {
      const uids = new Set([object.metadata.uid, old?.metadata.uid]);
      this.#enforce(({ pod }) => uids.has(pod.uid));
    });
    parts.callers.sandboxes.subscribe(({ object, old }) => {
      const uids = new Set([object.metadata.uid, old?.metadata.uid]);
      this.#enforce(({ uid }) => uids.has(uid));
    });
  }

  async decide(asked: Asked): Promise<Decision> {
    const { request, read, signal } = asked;
    if (!read.ok) return { refusal: { reason: read.reason, target: read.target } };
    const { target } = read;
    const podUid = podUidIn(request.headers['proxy-authorization']);
    if (podUid === undefined) return { refusal: { reason: 'credentials_missing', target } };
    const { callers } = this.#parts;
    const caller = await callers.identify(peerAddress(request.socket.remoteAddress), podUid, signal);
    if (caller === undefined) return { refusal: { reason: 'unknown_caller', target } };
    if (!this.#allows(caller, target)) return { refusal: { reason: 'domain_not_allowed', target, caller } };
    return this.#admit({ caller, target, cut: asked.cut });
  }

  async #admit(flow: Flow): Promise<Decision> {
    const { caller, target } = flow;
    const close = this.#parts.flows.open(flow);
    if (close === undefined) return { refusal: { reason: 'too_many_connections', target, caller } };
    const resolved = await this.#parts.resolve(target.host);
    if (resolved.ok) return { pass: { caller, target, addresses: resolved.addresses, close } };
    close();
    return { refusal: { reason: resolved.reason, target, caller } };
  }

  refused(kind: Kind, refusal: Refusal, peer: string | undefined): void {
    const { reason, target, caller, detail } = refusal;
    this.#parts.metrics.decided(kind, reason);
    this.#parts.log.warn(
      { audit: 'egress', decision: 'refused', reason, ...about({ target, caller, peer }), detail },
      'egress refused',
    );
  }

  passed(kind: Kind, { target, caller }: Pass): void {
    this.#parts.metrics.decided(kind, 'allowed');
    this.#parts.log.debug({ audit: 'egress', decision: 'allowed', ...about({ target, caller }) }, 'egress');
  }

  #allows(caller: Caller, { host, port }: Target): boolean {
    return opensHost(this.#parts.callers.domainsOf(caller), host, port);
  }

  /** Edits take effect on what is open, too. */
  #enforce(of: (caller: Caller) => boolean): void {
    const lost = this.#parts.flows.enforce(of, ({ caller, target }) => this.#allows(caller, target));
    for (const { caller, target } of lost) {
      this.refused('connect', { reason: 'no_longer_allowed', caller, target }, undefined);
    }
  }
}

interface About {
  readonly target?: Target | undefined;
  readonly caller?: Caller | undefined;
  readonly peer?: string | undefined;
}

const about = ({ target, caller, peer }: About): object => ({
  ...(target === undefined ? {} : { host: target.host.slice(0, 253), port: target.port }),
  ...(caller === undefined
    ? {}
    : { namespace: caller.namespace, sandbox: caller.name, uid: caller.uid, pod: caller.pod.name }),
  ...(peer === undefined ? {} : { peer }),
});
