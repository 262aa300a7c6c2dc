// SPDX-License-Identifier: Apache-2.0
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { build } from 'rolldown';
import { freePorts } from '../../envtest/processes.ts';
import { INSTALL_NAMESPACE } from './cluster.ts';

/** One file of JavaScript as in the image: run from sources, Node would hold its type stripper in memory as well. */
export async function bundleOperator(folder: string): Promise<string> {
  await build({
    input: join(import.meta.dirname, '../../../operator/src/main.ts'),
    platform: 'node',
    output: { dir: folder, format: 'esm', entryFileNames: 'operator.mjs' },
    logLevel: 'warn',
  });
  return join(folder, 'operator.mjs');
}

/** What the image gives to node before the program: much of the memory is a matter of these. */
function nodeFlags(): string[] {
  const dockerfile = join(import.meta.dirname, '../../../images/operator/Dockerfile');
  const entry = /^ENTRYPOINT (.*)$/m.exec(readFileSync(dockerfile, 'utf8'))?.[1] ?? '[]';
  return (JSON.parse(entry) as string[]).slice(1, -1);
}

export interface OperatorFigures {
  readonly leading: boolean;
  readonly queued: number;
  readonly reconciles: number;
  /** CPU seconds so far. */
  readonly cpu: number;
  /** Resident bytes. */
  readonly memory: number;
}

/** The operator as its image runs it, one replica. */
export class OperatorProcess {
  readonly #child: ChildProcess;
  readonly #port: number;

  private constructor(child: ChildProcess, port: number) {
    this.#child = child;
    this.#port = port;
  }

  static async start(program: string, kubeconfig: string, logFile: string): Promise<OperatorProcess> {
    const [port = 0] = await freePorts(1);
    const log = openSync(logFile, 'a');
    const child = spawn(process.execPath, [...nodeFlags(), program], {
      stdio: ['ignore', log, log],
      env: {
        PATH: process.env['PATH'],
        NODE_ENV: 'production',
        MALLOC_ARENA_MAX: '1',
        KUBECONFIG: kubeconfig,
        POD_NAME: `operator-${process.pid}-${port}`,
        POD_NAMESPACE: INSTALL_NAMESPACE,
        HEALTH_PORT: String(port),
        RUNTIME_IMAGE: 'ghcr.io/agenttier/runtime:scale',
        LOG_LEVEL: 'warn',
        // Nothing answers at the addresses of pods that only exist in the API.
        DIRECT_PROBE: 'false',
      },
    });
    closeSync(log);
    return new OperatorProcess(child, port);
  }

  get running(): boolean {
    return this.#child.exitCode === null && this.#child.signalCode === null;
  }

  async stop(): Promise<void> {
    if (!this.running) return;
    const exited = once(this.#child, 'exit');
    this.#child.kill('SIGTERM');
    await exited;
  }

  async isReady(): Promise<boolean> {
    const answer = await fetch(`http://127.0.0.1:${this.#port}/readyz`).catch(() => undefined);
    await answer?.body?.cancel();
    return answer?.status === 200;
  }

  async figures(): Promise<OperatorFigures> {
    const text = await (await fetch(`http://127.0.0.1:${this.#port}/metrics`)).text();
    return {
      leading: valueOf(text, 'agenttier_leader') === 1,
      queued: valueOf(text, 'agenttier_queue_depth'),
      reconciles: valueOf(text, 'agenttier_reconcile_duration_seconds_count'),
      cpu: valueOf(text, 'process_cpu_seconds_total'),
      memory: valueOf(text, 'process_resident_memory_bytes'),
    };
  }

  /** Until the operator has had nothing to do for a second. Throws after two minutes, or when it has ended. */
  async idle(): Promise<OperatorFigures> {
    const deadline = performance.now() + 120_000;
    let last = await this.figures();
    for (let calm = 0; calm < 5; ) {
      if (performance.now() > deadline || !this.running)
        throw new Error('the operator does not come to rest');
      await pause(200);
      const next = await this.figures();
      calm = next.queued === 0 && next.reconciles === last.reconciles ? calm + 1 : 0;
      last = next;
    }
    return last;
  }
}

/** The sum of a metric over its labels; 0 while it has no value. */
export function valueOf(text: string, name: string): number {
  return text
    .split('\n')
    .filter((line) => line.startsWith(`${name} `) || line.startsWith(`${name}{`))
    .reduce((sum, line) => sum + Number(line.slice(line.lastIndexOf(' ') + 1)), 0);
}
