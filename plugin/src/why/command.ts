// SPDX-License-Identifier: Apache-2.0
import type { Command } from 'commander';
import { addOutputOption, type App, completeArguments, examples, perform } from '../context/app.ts';
import type { WhyOptions } from './run.ts';

const DESCRIPTION = `Say in one paragraph what a sandbox waits for, why it was stopped or given up, and what comes next: from its conditions, its events and the clock.`;

export function addWhy(program: Command, app: App): void {
  const command = addOutputOption(program.command('why <name>'))
    .summary('Say what a sandbox waits for, or why it is down')
    .description(DESCRIPTION)
    .addHelpText('after', examples('kubectl agenttier why demo', 'kubectl agenttier why demo -o json'))
    .action(async (name: string, _options: unknown, self: Command) => {
      const options = { ...self.optsWithGlobals<Omit<WhyOptions, 'name'>>(), name };
      await perform(app, async () => (await import('./run.ts')).runWhy, options);
    });
  completeArguments(command, 'sandboxes');
}
