// SPDX-License-Identifier: Apache-2.0
import type { Command } from 'commander';
import { addOutputOption, type App, examples, perform } from '../context/app.ts';
import type { VersionOptions } from './run.ts';

export function addVersion(program: Command, app: App): void {
  addOutputOption(program.command('version'))
    .summary('Show the versions of this plugin and of the cluster')
    .description('Show the versions of this plugin and of the cluster.')
    .option('--client', 'only the version of this plugin: contacts nothing')
    .addHelpText('after', examples('kubectl agenttier version', 'kubectl agenttier version --client'))
    .action(async (_options: unknown, command: Command) => {
      await perform(
        app,
        async () => (await import('./run.ts')).runVersion,
        command.optsWithGlobals<VersionOptions>(),
      );
    });
}
