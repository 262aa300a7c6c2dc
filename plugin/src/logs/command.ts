// SPDX-License-Identifier: Apache-2.0
import type { Command } from 'commander';
import { type App, completeArguments, examples, perform } from '../context/app.ts';
import type { LogsOptions } from './run.ts';

export function addLogs(program: Command, app: App): void {
  const command = program
    .command('logs <name>')
    .alias('log')
    .summary('Print the log of a sandbox’s container')
    .description(
      'Print what the main container of a sandbox has written, or another of its containers, or what the installation of its agent has written.',
    )
    .option('-f, --follow', 'stay and print what is written from now on')
    .option('-c, --container <name>', 'container to print the log of', 'sandbox')
    .option('-p, --previous', 'of the container that ran before this one')
    .option('--tail <lines>', 'only the last lines')
    .option('--since <duration>', 'only what is newer than this, for instance 10m')
    .option('--install', 'of the last installation of its agent; through the router')
    .option('--timestamps', 'with the time in front of each line')
    .addHelpText(
      'after',
      examples(
        'kubectl agenttier logs demo --tail 50',
        'kubectl agenttier logs demo -f -c mem0',
        'kubectl agenttier logs helper --install',
      ),
    )
    .action(async (name: string, _options: unknown, self: Command) => {
      const options = { ...self.optsWithGlobals<Omit<LogsOptions, 'name'>>(), name };
      await perform(app, async () => (await import('./run.ts')).runLogs, options);
    });
  completeArguments(command, 'sandboxes', 'none');
}
