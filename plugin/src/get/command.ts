// SPDX-License-Identifier: Apache-2.0
import type { Command } from 'commander';
import { addListOptions, type App, completeArguments, examples, perform } from '../context/app.ts';
import type { GetOptions } from './run.ts';

export function addGet(program: Command, app: App): void {
  const command = addListOptions(program.command('get [name...]'))
    .summary('Show sandboxes by name')
    .description('Show the named sandboxes; without a name, all of the namespace.')
    .option('-A, --all-namespaces', 'without names: across all namespaces')
    .addHelpText(
      'after',
      examples(
        'kubectl agenttier get demo -o yaml',
        `kubectl agenttier get demo -o jsonpath='{.status.podName}'`,
      ),
    )
    .action(async (names: string[], _options: unknown, self: Command) => {
      const options = { ...self.optsWithGlobals<Omit<GetOptions, 'names'>>(), names };
      await perform(app, async () => (await import('./run.ts')).runGet, options);
    });
  completeArguments(command, 'sandboxes');
}
