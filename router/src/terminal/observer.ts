// SPDX-License-Identifier: Apache-2.0
import { Counter, Gauge, Histogram } from 'prom-client';
import type { Registry } from 'prom-client';

interface Labels {
  readonly transport: string;
  readonly mode: string;
}

/** What is counted of terminals. Labels come from small fixed sets. */
export interface TerminalObserver {
  /** Returns how to say that the terminal is over, and how long it was open. */
  opened(labels: Labels): (seconds: number) => void;
  bytes(direction: 'in' | 'out', count: number): void;
  /** A client came back: it missed nothing, or what it missed is no more. */
  reconnected(outcome: 'exact' | 'reset'): void;
  /** From a ping to the runtime in a sandbox to its answer. */
  echo(seconds: number): void;
}

export function terminalObserver(registry: Registry): TerminalObserver {
  const registers = [registry];
  const bytes = new Counter({
    name: 'agenttier_terminal_bytes_total',
    help: 'Bytes passed on; in = towards the sandbox',
    labelNames: ['direction'],
    registers,
  });
  const reconnects = new Counter({
    name: 'agenttier_terminal_reconnects_total',
    help: 'Clients that came back: exact = they missed nothing, reset = what they missed is no more',
    labelNames: ['outcome'],
    registers,
  });
  const echoes = new Histogram({
    name: 'agenttier_terminal_echo_seconds',
    help: 'From a ping to the runtime in a sandbox to its answer',
    buckets: [0.0002, 0.0005, 0.001, 0.002, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 5],
    registers,
  });
  return {
    opened: sessionObserver(registry),
    bytes: (direction, count) => bytes.inc({ direction }, count),
    reconnected: (outcome) => reconnects.inc({ outcome }),
    echo: (seconds) => echoes.observe(seconds),
  };
}

function sessionObserver(registry: Registry): TerminalObserver['opened'] {
  const common = { labelNames: ['transport', 'mode'] as const, registers: [registry] };
  const sessions = new Gauge({ name: 'agenttier_terminal_sessions', help: 'Open terminals', ...common });
  const durations = new Histogram({
    name: 'agenttier_terminal_session_duration_seconds',
    help: 'How long terminals were open',
    buckets: [1, 10, 60, 300, 900, 3600, 14_400, 86_400],
    ...common,
  });
  return (labels) => {
    sessions.inc({ ...labels });
    return (seconds) => {
      sessions.dec({ ...labels });
      durations.observe({ ...labels }, seconds);
    };
  };
}
