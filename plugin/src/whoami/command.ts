// SPDX-License-Identifier: Apache-2.0
import type { Command } from 'commander';
import { addOutputOption, type App, examples, perform } from '../context/app.ts';
import type { WhoamiOptions } from './run.ts';

export function addWhoami(program: Command, app: App): void {
  addOutputOption(program.command('whoami'))
    .summary('Show who the cluster and the router take you for')
    .description(
      'Show the identity behind the kubeconfig, and the one behind the API key when a router is set.',
    )
    .addHelpText('after', examples('kubectl agenttier whoami', 'kubectl agenttier whoami -o json'))
    .action(async (_options: unknown, command: Command) => {
      await perform(
        app,
        async () => (await import('./run.ts')).runWhoami,
        command.optsWithGlobals<WhoamiOptions>(),
      );
    });
}
