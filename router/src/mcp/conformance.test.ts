// SPDX-License-Identifier: Apache-2.0
import { complaints, conformanceChecks } from '@agenttier/machinery/testing/mcpConformance';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Harness } from '../testing/harness.ts';

/** What of the suite does not depend on tools of certain names; the rest is machinery/src/mcp/conformance.test.ts. */
describe('the conformance suite of MCP and the router', () => {
  let harness: Harness;
  beforeAll(async () => {
    // The suite has no credentials to send, and attacks exactly the case in which none are asked for.
    harness = await Harness.start({ devAuth: true });
  });
  afterAll(() => harness.stop());

  it.each(['server-initialize', 'ping', 'tools-list', 'dns-rebinding-protection'])(
    '%s',
    { timeout: 60_000 },
    async (scenario) => {
      expect(complaints(await conformanceChecks(`${harness.url}/mcp`, scenario))).toEqual([]);
    },
  );
});
