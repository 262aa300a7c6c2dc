// SPDX-License-Identifier: Apache-2.0
import type { Command } from 'commander';
import { type App, completeArguments, examples, perform } from '../context/app.ts';
import type { WaitOptions } from './run.ts';

export function addWait(program: Command, app: App): void {
  const command = program
    .command('wait <name...>')
    .summary('Wait until sandboxes run, or reach another state')
    .description(
      'Wait until every named sandbox has reached a state. Fails at once when a sandbox cannot get there any more.',
    )
    .option('--for <state>', 'running, stopped, deleted, or condition=TYPE[=STATUS]', 'running')
    .option('--timeout <duration>', 'for how long to wait', '180s')
    .addHelpText(
      'after',
      examples(
        'kubectl agenttier wait demo',
        'kubectl agenttier wait demo --for deleted --timeout 30s',
        'kubectl agenttier wait demo --for condition=PodReady',
      ),
    )
    .action(async (names: string[], _options: unknown, self: Command) => {
      const options = { ...self.optsWithGlobals<Omit<WaitOptions, 'names'>>(), names };
      await perform(app, async () => (await import('./run.ts')).runWait, options);
    });
  completeArguments(command, 'sandboxes');
}
