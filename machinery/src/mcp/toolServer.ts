// SPDX-License-Identifier: Apache-2.0
import { ProtocolError, ProtocolErrorCode, Server } from '@modelcontextprotocol/server';

/** A tool as it is listed. */
export interface ServedTool {
  readonly name: string;
  readonly description: string;
  readonly inputSchema: { readonly type: 'object' };
  readonly annotations?: {
    readonly readOnlyHint?: boolean;
    readonly destructiveHint?: boolean;
    readonly idempotentHint?: boolean;
    readonly openWorldHint?: boolean;
  };
}

/** What a use of a tool gave. A failure is told to the model, which may do better; it is no error of the protocol. */
export interface ToolAnswer {
  readonly text: string;
  readonly structured?: Readonly<Record<string, unknown>>;
  readonly failed?: true;
}

export interface ToolUse {
  readonly arguments: Readonly<Record<string, unknown>>;
  readonly signal: AbortSignal;
  /** Tells the client how far it is, if it wants to know. */
  readonly report: (message: string) => Promise<void>;
}

/** The tools that one caller may use. */
export interface ToolSource {
  list(): readonly ServedTool[];
  use(name: string, use: ToolUse): Promise<ToolAnswer>;
}

export interface ServerIdentity {
  readonly name: string;
  readonly version: string;
  readonly instructions: string;
}

/** An MCP server that offers tools and nothing else. One serves one connection, or one request over HTTP. */
export function toolServer(identity: ServerIdentity, source: ToolSource): Server {
  const { name, version, instructions } = identity;
  const server = new Server({ name, version }, { capabilities: { tools: {} }, instructions });
  server.setRequestHandler('tools/list', () => ({ tools: source.list().map((tool) => ({ ...tool })) }));
  server.setRequestHandler('tools/call', async ({ params }, { mcpReq }) => {
    if (!source.list().some((tool) => tool.name === params.name)) {
      throw new ProtocolError(
        ProtocolErrorCode.InvalidParams,
        `there is no tool ${params.name} for you here`,
      );
    }
    const { progressToken } = mcpReq._meta ?? {};
    let progress = 0;
    const answer = await source.use(params.name, {
      arguments: params.arguments ?? {},
      signal: mcpReq.signal,
      report: async (message) => {
        if (progressToken === undefined) return;
        progress += 1;
        await mcpReq.notify({
          method: 'notifications/progress',
          params: { progressToken, progress, message },
        });
      },
    });
    return {
      content: [{ type: 'text', text: answer.text }],
      ...(answer.structured === undefined ? {} : { structuredContent: { ...answer.structured } }),
      ...(answer.failed ? { isError: true } : {}),
    };
  });
  return server;
}
