// SPDX-License-Identifier: Apache-2.0
import { namespaceAllowed, scopeRefusal } from '../auth/authorize.ts';
import type { Principal } from '../auth/principal.ts';
import type { Handlers, Operation } from './contract.ts';
import { refusals } from './errors.ts';
import type { Call, Handler, Reply, Route } from './route.ts';
import { checkedBody, checkQuery } from './validate.ts';

/** Throws HttpError 403 when the caller may not use the route at all, or not on the sandbox `id`. */
export function admit(route: Route, principal: Principal, id: string): void {
  const refusal = route.anyKey ? undefined : scopeRefusal(principal, route.action, id);
  if (refusal !== undefined) throw refusals.scopedKey(refusal);
  if (route.admin && !principal.isAdmin) throw refusals.adminRequired();
}

/**
 * Checks what was given against the route and has its handler answer: the one way to every operation, whether it was asked
 * for by REST or by a tool of MCP. `admit` comes before. Throws HttpError.
 */
export async function perform(route: Route, handlers: Handlers, given: Call): Promise<Reply> {
  if (route.query) checkQuery(route.query, given.query);
  refuseDryRun(route, given.query);
  const body = bodyOf(route, given.body);
  for (const namespace of namespacesNamed(given, body)) {
    if (!namespaceAllowed(given.principal, namespace)) throw refusals.namespaceRefused(namespace);
  }
  const handler = handlers[route.operation as Operation] as Handler;
  return await handler({ ...given, body });
}

/** Whoever asks for the verdict only must not find the thing done, where an operation does not know the question. */
function refuseDryRun({ method, query }: Route, given: URLSearchParams): void {
  const known = method === 'get' || 'dryRun' in (query?.properties ?? {});
  if (known || given.get('dryRun') !== 'true') return;
  throw refusals.invalidFields([{ field: 'dryRun', message: 'is not possible for this operation' }]);
}

/** How many requests it counts as, by the length of a list that nobody has checked yet. */
export function costOf({ counts }: Route, body: unknown): number {
  const list = counts && (body as Readonly<Record<string, unknown>> | null | undefined)?.[counts];
  return Array.isArray(list) ? Math.max(1, list.length) : 1;
}

/** The namespaces that a request names; those of the sandboxes that it finds are looked at where they are found. */
function namespacesNamed({ params, query }: Call, body: unknown): string[] {
  const { namespace: inBody } = (typeof body === 'object' && body !== null ? body : {}) as {
    namespace?: unknown;
  };
  const named = [query.get('namespace'), params['namespace'], inBody];
  return named.filter((each): each is string => typeof each === 'string' && each !== '');
}

function bodyOf({ body }: Route, given: unknown): unknown {
  if (body === undefined || body === 'raw') return undefined;
  const value = body.optional ? (given ?? {}) : given;
  return body.own ? value : checkedBody(body.schema, value);
}
