// SPDX-License-Identifier: Apache-2.0
import type { Command } from 'commander';
import { type App, examples, perform } from '../context/app.ts';
import type { McpOptions } from './run.ts';

const DESCRIPTION = `Offer AgentTier to a model: an MCP server on standard input and output, for programs that start their servers themselves. Its tools are REST calls of the router with your credentials, so AGENTTIER_API_URL and AGENTTIER_API_KEY must be set.

A program that can reach the router has the same tools at its /mcp (streamable HTTP).`;

export function addMcp(program: Command, app: App): void {
  program
    .command('mcp')
    .summary('Serve the tools of MCP on standard input and output')
    .description(DESCRIPTION)
    .addHelpText(
      'after',
      examples('kubectl agenttier mcp', 'claude mcp add agenttier -- kubectl agenttier mcp'),
    )
    .action(async (_options: unknown, self: Command) => {
      await perform(app, async () => (await import('./run.ts')).runMcp, self.optsWithGlobals<McpOptions>());
    });
}
