// SPDX-License-Identifier: Apache-2.0
import type { Command } from 'commander';
import { addCopyOptions, type App, completeArguments, examples, perform } from '../context/app.ts';
import type { CloneOptions } from './run.ts';

export function addClone(program: Command, app: App): void {
  const command = addCopyOptions(program.command('clone <name> [new-name]'))
    .summary('Make a sandbox with the files of another one')
    .description(
      'Make a new sandbox that asks for what the named one asks for and starts with a copy of its volume. Sharing is not copied. Needs CSI snapshots.',
    )
    .option('--keep-snapshot', 'keep the snapshot that the copy is made through')
    .addHelpText(
      'after',
      examples('kubectl agenttier clone demo', 'kubectl agenttier clone demo second --wait'),
    )
    .action(async (name: string, to: string | undefined, _options: unknown, self: Command) => {
      const flags = self.optsWithGlobals<Omit<CloneOptions, 'name' | 'to'>>();
      const options = { ...flags, name, ...(to === undefined ? {} : { to }) };
      await perform(app, async () => (await import('./run.ts')).runClone, options);
    });
  completeArguments(command, 'sandboxes', 'none');
}
