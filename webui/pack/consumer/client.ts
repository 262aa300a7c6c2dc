// SPDX-License-Identifier: Apache-2.0
/** A program of somebody else with the client. */
import { ApiError, createClient } from '@agenttier/client';
import type { Client } from '@agenttier/client';

const client: Client = createClient({ url: 'https://agenttier.example', token: async () => 'token' });

export async function namesOfRunning(): Promise<readonly string[] | string> {
  try {
    const { sandboxes } = await client.listSandboxes({ query: { status: 'Running' } });
    return sandboxes.map(({ name }) => name);
  } catch (error) {
    return error instanceof ApiError ? error.code : 'unreachable';
  }
}

// @ts-expect-error a sandbox has a name
export const refused = client.createSandbox({ body: { templateRef: { name: 'minimal' } } });
