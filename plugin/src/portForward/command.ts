// SPDX-License-Identifier: Apache-2.0
import type { Command } from 'commander';
import type { App } from '../context/app.ts';
import { addVerb } from '../context/verb.ts';

export function addPortForward(program: Command, app: App): void {
  addVerb(program, app, {
    usage: 'port-forward <name> <port...>',
    summary: 'Reach ports of a sandbox at this machine',
    description:
      'Listen on this machine and hand each connection to the sandbox, to servers on its loopback address, too. A port is LOCAL:REMOTE, one number for both, or :REMOTE for any free one here. Goes through the API server; ends with Ctrl-C.',
    flags: [{ flags: '--address <address>', about: 'address to listen on', fallback: '127.0.0.1' }],
    completes: ['sandboxes', 'none'],
    examples: [
      'kubectl agenttier port-forward demo 8080',
      'kubectl agenttier port-forward demo 9000:80 :5432',
    ],
    load: async () => (await import('./run.ts')).runPortForward,
  });
}
