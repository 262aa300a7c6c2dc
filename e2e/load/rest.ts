// SPDX-License-Identifier: Apache-2.0
import { setTimeout as pause } from 'node:timers/promises';

/** Where to measure: any router that speaks AgentTier's REST contract. */
export interface Target {
  readonly url: string;
  readonly key: string;
  readonly namespace: string;
  readonly template: string;
}

/** How often a phase is asked for; it is the resolution of every figure that ends in a phase. */
const POLL_MS = 5;
const DEADLINE_MS = 180_000;

/**
 * Waits a random part of a second between two rounds. The kubelet looks at its containers once a second: a loop without
 * this falls into step with it and measures one point of that second again and again.
 */
export const outOfStep = (): Promise<void> => pause(Math.random() * 1000);

export async function call(target: Target, method: string, path: string, body?: unknown): Promise<unknown> {
  const answer = await fetch(`${target.url}/api/v1${path}`, {
    method,
    headers: { 'X-API-Key': target.key, 'Content-Type': 'application/json' },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  const text = await answer.text();
  if (!answer.ok) throw new Error(`${method} ${path}: ${answer.status} ${text}`);
  return text === '' ? undefined : JSON.parse(text);
}

export async function timed(work: () => Promise<unknown>): Promise<number> {
  const started = performance.now();
  await work();
  return performance.now() - started;
}

const path = (target: Target, name: string, verb = ''): string =>
  `/sandboxes/${name}${verb}?namespace=${target.namespace}`;

export const create = (target: Target, name: string, more: object = {}): Promise<unknown> =>
  call(target, 'POST', '/sandboxes', {
    name,
    namespace: target.namespace,
    templateRef: { name: target.template, kind: 'ClusterSandboxTemplate' },
    ...more,
  });

export async function untilStatus(
  target: Target,
  name: string,
  wanted: string,
  pollMs = POLL_MS,
): Promise<void> {
  const deadline = performance.now() + DEADLINE_MS;
  for (;;) {
    const { status, message } = (await call(target, 'GET', path(target, name))) as {
      status: string;
      message?: string;
    };
    if (status === wanted) return;
    if (status === 'Error') throw new Error(`${name} is in Error: ${message ?? ''}`);
    if (performance.now() > deadline) throw new Error(`${name} stayed ${status}, wanted ${wanted}`);
    await pause(pollMs);
  }
}

export const exec = (target: Target, name: string, command = 'true'): Promise<unknown> =>
  call(target, 'POST', path(target, name, '/exec'), { command });

export const stop = (target: Target, name: string): Promise<unknown> =>
  call(target, 'POST', path(target, name, '/stop'));

export const resume = (target: Target, name: string): Promise<unknown> =>
  call(target, 'POST', path(target, name, '/resume'));

export async function remove(target: Target, name: string): Promise<void> {
  await call(target, 'DELETE', path(target, name));
  const deadline = performance.now() + DEADLINE_MS;
  while (performance.now() < deadline) {
    const answer = await fetch(`${target.url}/api/v1${path(target, name)}`, {
      headers: { 'X-API-Key': target.key },
    });
    await answer.arrayBuffer();
    if (answer.status === 404) return;
    await pause(50);
  }
  throw new Error(`${name} was not deleted in time`);
}
