// SPDX-License-Identifier: Apache-2.0
import type { Command } from 'commander';
import { type App, completeArguments, examples, perform } from '../context/app.ts';
import type { DeleteOptions } from './run.ts';

export function addDelete(program: Command, app: App): void {
  const command = program
    .command('delete <name...>')
    .alias('rm')
    .summary('Delete sandboxes with their files')
    .description('Delete sandboxes and everything that belongs to them, the volume with the files included.')
    .option('-w, --wait', 'wait until nothing of them is left')
    .option('--wait-timeout <duration>', 'for how long to wait', '180s')
    .option('--ignore-not-found', 'a sandbox that does not exist is no error')
    .option('-o, --output <format>', 'name prints only the names')
    .addHelpText(
      'after',
      examples('kubectl agenttier delete demo', 'kubectl agenttier delete demo other --wait'),
    )
    .action(async (names: string[], _options: unknown, self: Command) => {
      const options = { ...self.optsWithGlobals<Omit<DeleteOptions, 'names'>>(), names };
      await perform(app, async () => (await import('./run.ts')).runDelete, options);
    });
  completeArguments(command, 'sandboxes');
}
