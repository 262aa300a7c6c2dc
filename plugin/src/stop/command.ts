// SPDX-License-Identifier: Apache-2.0
import type { Command } from 'commander';
import { addOutputOption, type App, completeArguments, examples, perform } from '../context/app.ts';
import type { StopOptions } from './run.ts';

export function addStop(program: Command, app: App): void {
  const command = addOutputOption(program.command('stop <name...>'))
    .summary('Stop sandboxes; their files stay')
    .description('Stop sandboxes: the pod goes, the volume stays until the sandbox is deleted.')
    .option('-w, --wait', 'wait until they have stopped')
    .option('--wait-timeout <duration>', 'for how long to wait', '180s')
    .addHelpText('after', examples('kubectl agenttier stop demo', 'kubectl agenttier stop demo other --wait'))
    .action(async (names: string[], _options: unknown, self: Command) => {
      const options = { ...self.optsWithGlobals<Omit<StopOptions, 'names'>>(), names };
      await perform(app, async () => (await import('./run.ts')).runStop, options);
    });
  completeArguments(command, 'sandboxes');
}
