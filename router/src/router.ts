// SPDX-License-Identifier: Apache-2.0
import type { Health } from '@agenttier/machinery/http/health';
import type { HttpServer } from '@agenttier/machinery/http/server';
import type { Stores } from './cluster/caches.ts';
import type { TerminalGateway } from './terminal/gateway.ts';
import { followBackups } from './auditStore/backups.ts';
import { createParts } from './parts.ts';
import type { Parts, RouterOptions } from './parts.ts';
import { createServer } from './server.ts';
import { createGateway } from './terminals.ts';

export interface Router {
  readonly health: Health;
  readonly stores: Stores;
  /** Watches the cluster until the signal aborts. */
  watch(signal: AbortSignal): Promise<void>;
  /** Resolves with the port. */
  listen(): Promise<number>;
  /** Sends terminals away, lets requests finish, writes what is known about use. */
  close(): Promise<void>;
}

/** Wires one router; nothing runs before `watch` and `listen`. */
export function createRouter(options: RouterOptions): Router {
  const parts = createParts(options);
  const { caches, health, issuer, kept, stores } = parts;
  followPods(parts);
  followBackups(parts);
  const gateway = createGateway(parts);
  const server = createServer(parts, gateway);
  return {
    health,
    stores,
    watch: async (signal) => {
      await Promise.all([caches.run(signal), issuer?.run(signal), kept.run(signal)]);
    },
    listen: () => server.listen(),
    close: () => close(parts, gateway, server),
  };
}

async function close(parts: Parts, gateway: TerminalGateway, server: HttpServer): Promise<void> {
  const closed = server.close();
  gateway.drain();
  parts.changes.close();
  await closed;
  await Promise.all([
    parts.activity.flush(true),
    parts.herald.close(),
    parts.recorder.flush(),
    parts.kept.close(),
  ]);
  parts.activity.stop();
  parts.overview.stop();
  await Promise.all([parts.runtime.close(), parts.previewRuntime.close()]);
}

/** What is known about a pod's address ends with the pod, or with a change of it. */
function followPods({ stores, runtime, previewRuntime, reachability }: Parts): void {
  stores.pods.subscribe(({ type, object, old }) => {
    const uid = (old ?? object).metadata.uid;
    if (uid === undefined) return;
    reachability.forget(uid);
    if (type !== 'deleted' && uid === object.metadata.uid) return;
    void runtime.forget(uid);
    void previewRuntime.forget(uid);
  });
}
