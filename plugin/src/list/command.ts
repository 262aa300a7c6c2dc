// SPDX-License-Identifier: Apache-2.0
import type { Command } from 'commander';
import { addListOptions, type App, examples, perform } from '../context/app.ts';
import type { ListOptions } from './run.ts';

export function addList(program: Command, app: App): void {
  addListOptions(program.command('list'))
    .alias('ls')
    .summary('List sandboxes')
    .description('List the sandboxes of a namespace, or of all namespaces with -A.')
    .option('-A, --all-namespaces', 'list across all namespaces')
    .option('--status <phase>', 'only sandboxes in this phase: Creating, Running, Stopped, Error or Deleting')
    .addHelpText(
      'after',
      examples(
        'kubectl agenttier list',
        'kubectl agenttier list -A -o wide --status Error',
        `kubectl agenttier list -o jsonpath='{range .items[*]}{.metadata.name}{"\\t"}{.status.phase}{"\\n"}{end}'`,
      ),
    )
    .action(async (_options: unknown, command: Command) => {
      await perform(
        app,
        async () => (await import('./run.ts')).runList,
        command.optsWithGlobals<ListOptions>(),
      );
    });
}
