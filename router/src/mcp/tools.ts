// SPDX-License-Identifier: Apache-2.0
import { Readable } from 'node:stream';
import { callOf } from '@agenttier/crds/mcp/call';
import { annotationsOf, encodedRest, inputSchemaOf } from '@agenttier/crds/mcp/tool';
import type { RestCall, Tool } from '@agenttier/crds/mcp/tool';
import { TOOLS } from '@agenttier/crds/mcp/tools';
import { failure, toolAnswer } from '@agenttier/machinery/mcp/restAnswer';
import type { RestAnswer } from '@agenttier/machinery/mcp/restAnswer';
import type { ToolAnswer, ToolSource, ToolUse } from '@agenttier/machinery/mcp/toolServer';
import { ROUTES } from '../api/contract.ts';
import type { Handlers } from '../api/contract.ts';
import { HttpError, isFault, toHttpError } from '../api/errors.ts';
import { admit, costOf, perform } from '../api/perform.ts';
import type { Reply, Route } from '../api/route.ts';
import type { Principal } from '../auth/principal.ts';

export interface Caller {
  readonly principal: Principal;
  readonly sourceIp?: string | undefined;
  /** Counts a use as so many requests of the caller; throws the 429 when there were too many. */
  readonly charge: (count: number) => void;
  /** Hears of failures that are ours and not the caller's. */
  readonly onFault: (error: unknown) => void;
}

const routes = new Map<string, Route>(
  ROUTES.map((route: Route) => [`${route.method.toUpperCase()} ${route.path}`, route]),
);

/** The route behind a tool; a tool without one is a mistake that a test finds. */
export const routeOf = ({ method, path }: Pick<Tool, 'method' | 'path'>): Route | undefined =>
  routes.get(`${method} ${path}`);

/** The tools that the caller may use, each carried out as the REST call that it stands for, with all of its checks. */
export function toolsFor(handlers: Handlers, caller: Caller): ToolSource {
  const allowed = TOOLS.filter((tool) => mayUse(caller.principal, routeOf(tool)));
  return {
    list: () =>
      allowed.map((tool) => ({
        name: tool.name,
        description: tool.description,
        inputSchema: inputSchemaOf(tool),
        annotations: annotationsOf(tool),
      })),
    use: async (name, use) => {
      const tool = allowed.find((one) => one.name === name);
      if (tool === undefined) return failure(404, { error: `there is no tool ${name}` });
      const asked = callOf(tool, use.arguments);
      if (!asked.ok) return failure(400, { error: asked.problems.join('; ') });
      return carryOut(handlers, caller, { tool, call: asked.call, use });
    },
  };
}

/** A key of one sandbox sees the tools of its groups; on which sandbox it uses them is looked at for each use. */
function mayUse(principal: Principal, route: Route | undefined): boolean {
  if (route === undefined) return false;
  try {
    admit(route, principal, principal.key?.sandboxId ?? '');
    return true;
  } catch (error) {
    if (error instanceof HttpError) return false;
    throw error;
  }
}

interface Job {
  readonly tool: Tool;
  readonly call: RestCall;
  readonly use: ToolUse;
}

async function carryOut(handlers: Handlers, caller: Caller, { tool, call, use }: Job): Promise<ToolAnswer> {
  try {
    const route = routeOf(tool);
    if (route === undefined) throw new Error(`tool ${tool.name} has no route`);
    caller.charge(costOf(route, call.body));
    admit(route, caller.principal, call.params['id'] ?? '');
    const { reply, over } = await ask(handlers, caller, { route, call, signal: use.signal });
    try {
      return await toolAnswer(answerOf(reply), { answer: tool.answer, encoding: call.encoding }, use.report);
    } finally {
      reply.stream?.destroy();
      over.abort();
    }
  } catch (error) {
    if (use.signal.aborted) throw error;
    const problem = toHttpError(error);
    if (isFault(problem)) caller.onFault(error);
    return failure(problem.status, problem.body);
  }
}

async function ask(
  handlers: Handlers,
  { principal, sourceIp }: Caller,
  { route, call, signal }: { readonly route: Route; readonly call: RestCall; readonly signal: AbortSignal },
): Promise<{ reply: Reply; over: AbortController }> {
  const over = new AbortController();
  const content = contentOf(route, call);
  const reply = await perform(route, handlers, {
    principal,
    sourceIp,
    params: paramsOf(call),
    query: new URLSearchParams(call.query),
    headers: { 'content-length': String(content.length) },
    body: call.body,
    stream: Readable.from(content.length === 0 ? [] : [content]),
    signal: AbortSignal.any([signal, over.signal]),
  });
  return { reply, over };
}

/** A route that reads its body by itself is given the bytes of JSON, too. */
function contentOf(route: Route, { raw, encoding, body }: RestCall): Buffer {
  if (raw !== undefined) return Buffer.from(raw, encoding);
  return Buffer.from(route.body === 'raw' && body !== undefined ? JSON.stringify(body) : '');
}

/** As Express hands them over: the rest of a path is still encoded. */
const paramsOf = ({ path, params }: RestCall): Record<string, string> =>
  Object.fromEntries(
    Object.entries(params).map(([name, value]) => [
      name,
      path.includes(`*${name}`) ? encodedRest(value) : value,
    ]),
  );

const answerOf = ({ status, body, json, stream }: Reply): RestAnswer => ({
  status,
  ...(json === undefined ? { body } : { body: JSON.parse(json()) as unknown }),
  ...(stream === undefined ? {} : { stream: stream as AsyncIterable<Uint8Array> }),
});
