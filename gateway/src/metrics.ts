// SPDX-License-Identifier: Apache-2.0
import type { Registry } from '@agenttier/machinery/telemetry/metrics';
import { Counter, Gauge } from 'prom-client';

export interface GatewayMetrics {
  /** A request was let through (`allowed`) or refused, by reason. */
  decided(kind: string, result: string): void;
  bytes(direction: 'in' | 'out', count: number): void;
  open(count: number): void;
}

export function createGatewayMetrics(registry: Registry): GatewayMetrics {
  const registers = [registry];
  const decisions = new Counter({
    name: 'agenttier_egress_decisions_total',
    help: 'Requests of sandboxes to the gateway, by result',
    labelNames: ['kind', 'result'],
    registers,
  });
  const bytes = new Counter({
    name: 'agenttier_egress_bytes_total',
    help: 'Bytes through tunnels, as seen from the sandboxes',
    labelNames: ['direction'],
    registers,
  });
  const gauge = new Gauge({
    name: 'agenttier_egress_open',
    help: 'Connections and requests open now',
    registers,
  });
  return {
    decided: (kind, result) => decisions.inc({ kind, result }),
    bytes: (direction, count) => bytes.inc({ direction }, count),
    open: (count) => gauge.set(count),
  };
}
