// SPDX-License-Identifier: Apache-2.0
import { callOf } from '@agenttier/crds/mcp/call';
import { annotationsOf, inputSchemaOf, type RestCall, type Tool, urlPathOf } from '@agenttier/crds/mcp/tool';
import { TOOLS } from '@agenttier/crds/mcp/tools';
import { failure, type RestAnswer, toolAnswer } from '@agenttier/machinery/mcp/restAnswer';
import type { ToolAnswer, ToolSource, ToolUse } from '@agenttier/machinery/mcp/toolServer';
import { askRouter, callRouter, type RouterAccess, routerUrl } from '../client/router.ts';
import { RouterError } from '../context/failure.ts';
import type { Host } from '../context/host.ts';

/** The tools as REST calls to the router: those that it offers to these credentials. */
export async function restTools(host: Host, router: RouterAccess): Promise<ToolSource> {
  const offered = await offeredTools(host, router);
  const tools = TOOLS.filter(({ name }) => offered === undefined || offered.has(name));
  return {
    list: () =>
      tools.map((tool) => ({
        name: tool.name,
        description: tool.description,
        inputSchema: inputSchemaOf(tool),
        annotations: annotationsOf(tool),
      })),
    use: async (name, use) => {
      const tool = tools.find((one) => one.name === name);
      if (tool === undefined) return failure(404, { error: `there is no tool ${name}` });
      const asked = callOf(tool, use.arguments);
      if (!asked.ok) return failure(400, { error: asked.problems.join('; ') });
      return carryOut(router, tool, asked.call, use);
    },
  };
}

/**
 * What the router lists at its own /mcp, which knows what the key may do; undefined when it lists nothing there. Rejects with
 * RouterError when it does not let us in: better at the start than with every tool.
 */
async function offeredTools(host: Host, router: RouterAccess): Promise<ReadonlySet<string> | undefined> {
  const answer = await callRouter<{ result?: { tools?: { name: string }[] } }>(
    router,
    routerUrl(router, '/mcp'),
    {
      body: { jsonrpc: '2.0', id: 1, method: 'tools/list' },
      accept: 'application/json, text/event-stream',
      signal: host.signal,
    },
  ).catch((error: unknown) => {
    const older = error instanceof RouterError && (error.status === 404 || error.code === 'BadAnswer');
    if (!older) throw error;
    return undefined;
  });
  const tools = answer?.result?.tools;
  return tools && new Set(tools.map(({ name }) => name));
}

async function carryOut(router: RouterAccess, tool: Tool, call: RestCall, use: ToolUse): Promise<ToolAnswer> {
  const over = new AbortController();
  try {
    const answer = await send(router, call, AbortSignal.any([use.signal, over.signal]));
    return await toolAnswer(answer, { answer: tool.answer, encoding: call.encoding }, use.report);
  } catch (error) {
    if (!(error instanceof RouterError)) throw error;
    return failure(502, { error: error.message });
  } finally {
    over.abort();
  }
}

async function send(router: RouterAccess, call: RestCall, signal: AbortSignal): Promise<RestAnswer> {
  const url = routerUrl(router, `/api/v1${urlPathOf(call)}`, call.query);
  const answer = await askRouter(router, url, {
    method: call.method,
    ...(call.body === undefined ? {} : { body: call.body }),
    ...(call.raw === undefined ? {} : { content: Buffer.from(call.raw, call.encoding) }),
    accept: '*/*',
    signal,
  });
  const isJson = answer.headers.get('content-type')?.includes('json') ?? false;
  const stream = answer.body as AsyncIterable<Uint8Array> | null;
  if (!isJson && answer.ok) return { status: answer.status, ...(stream === null ? {} : { stream }) };
  return { status: answer.status, body: parsed(await answer.text()) };
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return { error: text.slice(0, 200) };
  }
}
