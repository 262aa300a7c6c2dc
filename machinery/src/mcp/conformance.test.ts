// SPDX-License-Identifier: Apache-2.0
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { complaints, conformanceChecks, conformanceScenarios } from '../testing/mcpConformance.ts';
import { serveExchange } from './overHttp.ts';
import type { ServedTool, ToolAnswer, ToolSource, ToolUse } from './toolServer.ts';

const SCHEMA = {
  $schema: 'https://json-schema.org/draft/2020-12/schema',
  type: 'object',
  $defs: {
    address: { type: 'object', properties: { street: { type: 'string' }, city: { type: 'string' } } },
  },
  properties: { name: { type: 'string' }, address: { $ref: '#/$defs/address' } },
  additionalProperties: false,
} as const;

/** The tools that the public conformance suite of MCP expects to find. */
const USES: Readonly<Record<string, (use: ToolUse) => Promise<ToolAnswer> | ToolAnswer>> = {
  test_simple_text: () => ({ text: 'This is a simple text response for testing.' }),
  test_error_handling: () => ({ text: 'This tool intentionally returns an error for testing', failed: true }),
  test_tool_with_progress: async ({ report }) => {
    for (const step of ['first', 'second', 'third']) await report(step);
    return { text: 'done' };
  },
  json_schema_2020_12_tool: () => ({ text: 'fine' }),
};

const source: ToolSource = {
  list: () =>
    Object.keys(USES).map(
      (name): ServedTool => ({
        name,
        description: `the suite’s ${name}`,
        inputSchema: name.startsWith('json') ? SCHEMA : { type: 'object' },
      }),
    ),
  use: async (name, use) => (await USES[name]?.(use)) ?? { text: 'none', failed: true },
};

const APPLIES = [
  'server-initialize',
  'ping',
  'tools-list',
  'tools-call-simple-text',
  'tools-call-error',
  'tools-call-with-progress',
  'json-schema-2020-12',
];
/** Where the scenarios that need more than text from a tool, or more than tools from a server, are refused or done. */
const ELSEWHERE: Readonly<Record<string, readonly string[]>> = {
  'checked on the router, whose endpoint looks at Origin': ['dns-rebinding-protection'],
  'no tool of ours answers with media or resources': [
    'tools-call-image',
    'tools-call-audio',
    'tools-call-embedded-resource',
    'tools-call-mixed-content',
  ],
  'the capability is not offered': [
    'logging-set-level',
    'tools-call-with-logging',
    'completion-complete',
    'resources-list',
    'resources-read-text',
    'resources-read-binary',
    'resources-templates-read',
    'resources-subscribe',
    'resources-unsubscribe',
    'prompts-list',
    'prompts-get-simple',
    'prompts-get-with-args',
    'prompts-get-embedded-resource',
    'prompts-get-with-image',
  ],
  'the server asks the client for nothing': [
    'tools-call-sampling',
    'tools-call-elicitation',
    'elicitation-sep1034-defaults',
    'elicitation-sep1330-enums',
  ],
  'needs sessions, and this server keeps none': ['server-sse-polling', 'server-sse-multiple-streams'],
};

describe('the conformance suite of MCP', () => {
  let server: Server;

  beforeAll(async () => {
    const identity = { name: 'suite', version: '1.0.0', instructions: 'for the suite' };
    server = createServer((request, response) => {
      void serveExchange({ request, response, identity, source, onError: () => {} });
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  });
  afterAll(() => {
    server.closeAllConnections();
    server.close();
  });

  it.each(APPLIES)('%s', { timeout: 60_000 }, async (scenario) => {
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/mcp`;
    expect(complaints(await conformanceChecks(url, scenario))).toEqual([]);
  });

  it('has no scenario that nobody has thought about', async () => {
    const known = [...APPLIES, ...Object.values(ELSEWHERE).flat()];
    expect([...(await conformanceScenarios())].sort()).toEqual(known.sort());
  });
});
