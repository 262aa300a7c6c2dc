// SPDX-License-Identifier: Apache-2.0
import axe from 'axe-core';
import { connect } from '../data/server.ts';
import type { Server } from '../data/server.ts';
import type { Sandbox } from '../data/sandboxes.ts';

/** Headers by lower-case name. */
type Names = Readonly<Record<string, string>>;

/** A server of a test: answers by `METHOD path`, and remembers what it was asked. */
export class FakeServer {
  readonly asked: {
    readonly method: string;
    readonly url: URL;
    readonly body: unknown;
    readonly headers: Names;
  }[] = [];
  readonly server: Server;
  readonly #answers = new Map<string, (url: URL, body: unknown, headers: Names) => Response>();

  constructor() {
    this.server = connect({
      apiBase: '/api/v1',
      credential: () => Promise.resolve(undefined),
      fetch: (input, init) => this.#answer(new URL(input as string), init ?? {}),
    });
  }

  on(route: string, answer: (url: URL, body: unknown, headers: Names) => unknown, status = 200): this {
    this.#answers.set(route, (url, body, headers) => {
      const value = answer(url, body, headers);
      return value instanceof Response ? value : Response.json(value ?? {}, { status });
    });
    return this;
  }

  async #answer(url: URL, init: RequestInit): Promise<Response> {
    const method = init.method ?? 'GET';
    const body: unknown =
      typeof init.body === 'string' && init.body !== '' ? JSON.parse(init.body) : undefined;
    const path = url.pathname.replace('/api/v1', '');
    const headers = Object.fromEntries(new Headers(init.headers));
    this.asked.push({ method, url, body, headers });
    const answer = this.#answers.get(`${method} ${path}`);
    return (
      answer?.(url, body, headers) ??
      Response.json({ error: `nothing answers ${method} ${path}` }, { status: 404 })
    );
  }
}

/** Puts an element on the page and waits until it has drawn. */
export async function show<E extends HTMLElement & { updateComplete: Promise<boolean> }>(
  element: E,
): Promise<E> {
  document.body.replaceChildren(element);
  await element.updateComplete;
  return element;
}

/** Puts an element on a page of this theme: on the other's background its words could not be read. */
export function dress(element: { theme: string }, theme: 'light' | 'dark'): void {
  element.theme = theme;
  document.body.style.background = theme === 'dark' ? '#131418' : '#f7f7f9';
}

/** Waits for a condition with a deadline. */
export async function until<T>(what: string, probe: () => T | undefined | false | null): Promise<T> {
  const deadline = performance.now() + 5_000;
  for (;;) {
    const found = probe();
    if (found) return found;
    if (performance.now() > deadline) throw new Error(`waited in vain for ${what}`);
    await new Promise((resolve) => requestAnimationFrame(resolve));
  }
}

/** What is wrong for people who cannot see or use a mouse, by axe's rules for WCAG 2.2 AA; empty = nothing. */
export async function barriers(element: Element): Promise<string[]> {
  const { violations } = await axe.run(element, {
    runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa'],
  });
  return violations.flatMap(({ id, nodes }) => nodes.map(({ html }) => `${id}: ${html}`));
}

export const aSandbox = (change: Partial<Sandbox> = {}): Sandbox => ({
  sandboxId: 'box',
  podName: 'box-pod',
  pvcName: 'box-workspace',
  name: 'box',
  namespace: 'team',
  status: 'Running',
  templateRef: 'minimal-shell',
  mode: 'code',
  createdAt: '2026-01-01T00:00:00Z',
  message: '',
  desiredState: 'Running',
  createdBy: { sub: 'ann', email: 'ann@example.com', displayName: 'Ann' },
  ...change,
});
