// SPDX-License-Identifier: Apache-2.0
import { once } from 'node:events';
import { INSTRUCTIONS } from '@agenttier/crds/mcp/tools';
import { toolServer } from '@agenttier/machinery/mcp/toolServer';
import { serveStdio, StdioServerTransport } from '@modelcontextprotocol/server/stdio';
import manifest from '../../package.json' with { type: 'json' };
import { requiredRouter } from '../client/router.ts';
import type { GlobalFlags, Host } from '../context/host.ts';
import { restTools } from './tools.ts';

export type McpOptions = GlobalFlags;

/** Serves until standard input ends. Standard output carries messages only; whatever else there is to say goes to stderr. */
export async function runMcp(host: Host, options: McpOptions): Promise<void> {
  const router = await requiredRouter(host, options);
  const identity = { name: 'agenttier', version: manifest.version, instructions: INSTRUCTIONS };
  const source = await restTools(host, router);
  const transport = new StdioServerTransport(host.streams.in, host.streams.out);
  const ended = once(host.streams.in, 'close');
  const handle = serveStdio(() => toolServer(identity, source), {
    transport,
    onerror: (error) => void host.streams.err.write(`error: ${error.message}\n`),
  });
  await Promise.race([ended, once(host.signal, 'abort')]);
  await handle.close();
}
