// SPDX-License-Identifier: Apache-2.0
import type { IncomingMessage, ServerResponse } from 'node:http';

/** Returns true when fine, or the reason why not. */
export type HealthCheck = () => true | string;

type Handler = (request: IncomingMessage, response: ServerResponse) => void;

/**
 * Liveness and readiness of a process, as handlers for node:http and express. Not live means "restart me" and must never
 * depend on the cluster: a restart does not bring the API server back. Not ready means "send me no requests".
 */
export class Health {
  readonly #liveness = new Map<string, HealthCheck>();
  readonly #readiness = new Map<string, HealthCheck>();
  #draining = false;

  addLiveness(name: string, check: HealthCheck): void {
    this.#liveness.set(name, check);
  }

  addReadiness(name: string, check: HealthCheck): void {
    this.#readiness.set(name, check);
  }

  /** From now on not ready: the process is about to stop. */
  startDraining(): void {
    this.#draining = true;
  }

  get draining(): boolean {
    return this.#draining;
  }

  /** Reasons for not being ready; empty when ready. */
  unready(): string[] {
    return this.#draining ? ['shutting down'] : problems(this.#readiness);
  }

  readonly healthz: Handler = (_request, response) => answer(response, problems(this.#liveness));

  readonly readyz: Handler = (_request, response) => answer(response, this.unready());
}

function problems(checks: ReadonlyMap<string, HealthCheck>): string[] {
  return [...checks].flatMap(([name, check]) => {
    try {
      const result = check();
      return result === true ? [] : [`${name}: ${result}`];
    } catch (error) {
      return [`${name}: ${error instanceof Error ? error.message : String(error)}`];
    }
  });
}

function answer(response: ServerResponse, problems: readonly string[]): void {
  response.statusCode = problems.length === 0 ? 200 : 503;
  response.setHeader('content-type', 'application/json');
  response.setHeader('cache-control', 'no-store');
  response.end(
    JSON.stringify(problems.length === 0 ? { status: 'ok' } : { status: 'unavailable', problems }),
  );
}
