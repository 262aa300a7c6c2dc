// SPDX-License-Identifier: Apache-2.0
import { OPERATIONS } from '@agenttier/client/generated/operations';
import { encodeFrame } from '@agenttier/crds/wire/terminal';
import type { Answers } from '../../webui/src/testing/examples/index.ts';
import type { Page, Route } from 'playwright';

type Operation = keyof typeof OPERATIONS;

/** A refusal, or `never` for a server that takes its time. */
export type Instead = 'never' | { readonly status: number; readonly body: object };

export interface Given {
  readonly answers: Answers;
  /** Of these operations, something else. */
  readonly instead?: { readonly [O in Operation]?: Instead };
}

const PATTERNS = Object.entries(OPERATIONS).map(([id, { method, path }]) => ({
  id: id as Operation,
  method: method as string,
  // Literal segments go before parameters: of two that fit, the one with fewer of them is meant.
  holes: path.split('{').length,
  pattern: new RegExp(`^${path.replaceAll('{path}', '.+').replaceAll(/\{\w+\}/g, '[^/]+')}$`),
}));

function operationAt(method: string, path: string): Operation | undefined {
  return PATTERNS.filter((one) => one.method === method && one.pattern.test(path)).sort(
    (a, b) => a.holes - b.holes,
  )[0]?.id;
}

/** Has a page's questions answered by examples. Returns what it asked that nothing answers. */
export async function answerBy(page: Page, given: Given): Promise<string[]> {
  const unknown: string[] = [];
  await page.route('**/api/v1/**', async (route) => {
    const request = route.request();
    const path = new URL(request.url()).pathname.replace('/api/v1', '');
    const operation = operationAt(request.method(), path);
    // The stream of changes stands and tells nothing.
    if (operation === 'followChanges') return;
    await (operation === undefined ? route.abort() : answer(route, operation, given, unknown));
  });
  return unknown;
}

async function answer(route: Route, operation: Operation, given: Given, unknown: string[]): Promise<void> {
  const instead = given.instead?.[operation];
  if (instead === 'never') return;
  if (instead !== undefined) return route.fulfill({ status: instead.status, json: instead.body });
  const json: unknown = given.answers[operation];
  if (json !== undefined) return route.fulfill({ json });
  unknown.push(operation);
  await route.fulfill({ status: 404, json: { error: 'not_found', message: `nothing answers ${operation}` } });
}

/** Has terminals show this text. */
export async function typeInTerminals(page: Page, text: string): Promise<void> {
  await page.routeWebSocket(/\/ws\/terminal\//, (socket) => {
    socket.send(
      encodeFrame({ type: 'ready', session: 'main', offset: 0, reset: false, cols: 120, rows: 40 }),
    );
    socket.send(Buffer.from(text));
  });
}
