// SPDX-License-Identifier: Apache-2.0
import type { Command } from 'commander';
import { addOutputOption, type App, completeArguments, examples, perform } from '../context/app.ts';
import type { ResumeOptions } from './run.ts';

export function addResume(program: Command, app: App): void {
  const command = addOutputOption(program.command('resume <name...>'))
    .summary('Start stopped or failed sandboxes again')
    .description('Start sandboxes again with the volume they had.')
    .option('-w, --wait', 'wait until they run')
    .option('--wait-timeout <duration>', 'for how long to wait', '180s')
    .addHelpText(
      'after',
      examples('kubectl agenttier resume demo', 'kubectl agenttier resume demo other --wait'),
    )
    .action(async (names: string[], _options: unknown, self: Command) => {
      const options = { ...self.optsWithGlobals<Omit<ResumeOptions, 'names'>>(), names };
      await perform(app, async () => (await import('./run.ts')).runResume, options);
    });
  completeArguments(command, 'sandboxes');
}
