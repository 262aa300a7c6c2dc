// SPDX-License-Identifier: Apache-2.0
import type { Command } from 'commander';
import { type App, examples, perform } from '../context/app.ts';
import type { LoginOptions } from './run.ts';

const DESCRIPTION = `Remember a router and who you are there, in a file that only you can read (AGENTTIER_CONFIG, or ~/.config/agenttier/config.json). Flags and environment win over it.

Where the installation has an issuer (OpenID Connect) you confirm a code in any browser, or are sent back to this machine with --browser. An API key is remembered with --api-key, or read from standard input with --with-key, which keeps it out of the process list.

Commands that go to the Kubernetes API need no login: they use the kubeconfig.`;

export function addLogin(program: Command, app: App): void {
  program
    .command('login')
    .summary('Sign in at a router')
    .description(DESCRIPTION)
    .option('--with-key', 'read an API key from standard input')
    .option('--browser', 'have the browser sent back to this machine instead of entering a code')
    .addHelpText(
      'after',
      examples(
        'kubectl agenttier login --api-url https://agenttier.example.com',
        'kubectl agenttier login --api-url https://agenttier.example.com --with-key < key.txt',
      ),
    )
    .action(async (_options: unknown, self: Command) => {
      await perform(
        app,
        async () => (await import('./run.ts')).runLogin,
        self.optsWithGlobals<LoginOptions>(),
      );
    });
  program
    .command('logout')
    .summary('Forget the router and who you are there')
    .description(
      'Forget what login remembered, and end the sign-in at the issuer where it takes that. A key stays valid until it is revoked; a token counts until it expires.',
    )
    .action(async (_options: unknown, self: Command) => {
      await perform(
        app,
        async () => (await import('./run.ts')).runLogout,
        self.optsWithGlobals<LoginOptions>(),
      );
    });
}
