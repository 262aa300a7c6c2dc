// SPDX-License-Identifier: Apache-2.0
import type { Command } from 'commander';
import type { App } from '../context/app.ts';
import { addVerb } from '../context/verb.ts';
import { WAYS } from '../client/router.ts';

const DESCRIPTION = `Open the dashboard in the browser, signed in, through a proxy on this machine. Ctrl-C ends both.

The proxy goes to the router that is known, with what login remembered or what the environment says. Where none is known it goes through the API server to the router of the installation, as whom the kubeconfig says: with its token where that is one of the router's issuer, and otherwise with an API key that it makes for as long as it runs, for which it must be allowed to create Secrets in the install namespace.

The link opens the dashboard once. Enter makes another one.`;

export function addDashboard(program: Command, app: App): void {
  addVerb(program, app, {
    usage: 'dashboard',
    summary: 'Open the dashboard in the browser',
    description: DESCRIPTION,
    flags: [
      {
        flags: '--port <port>',
        about: 'port to listen on at 127.0.0.1; 0 is any that is free',
        fallback: '0',
      },
      { flags: '--no-browser', about: 'print the link and open nothing' },
      { flags: '--via <way>', about: 'the way to the router', fallback: 'auto', choices: WAYS },
      {
        flags: '--install-namespace <name>',
        about: 'namespace that AgentTier is installed in, for the way through the API server',
        fallback: 'agenttier',
      },
    ],
    examples: ['kubectl agenttier dashboard', 'kubectl agenttier dashboard --via kubernetes --no-browser'],
    load: async () => (await import('./run.ts')).runDashboard,
  });
}
