// SPDX-License-Identifier: Apache-2.0
import type { Command } from 'commander';
import { addOutputOption, type App, completeArguments, examples, perform, repeat } from '../context/app.ts';
import type { PatchOptions } from './run.ts';

const DESCRIPTION = `Change a sandbox. Times and labels take effect at once; resources and environment when it is started the next time. Admission judges the change as it judges a new sandbox.

A label or annotation whose name ends in - is removed, as in kubectl label.`;

export function addPatch(program: Command, app: App): void {
  const command = addOutputOption(program.command('patch <name>'))
    .summary('Change a sandbox')
    .description(DESCRIPTION)
    .option('--cpu <quantity>', 'limit of CPU, for instance 500m or 2')
    .option('--cpu-request <quantity>', 'CPU to reserve')
    .option('--memory <quantity>', 'limit of memory, for instance 512Mi')
    .option('--memory-request <quantity>', 'memory to reserve')
    .option('--storage-size <quantity>', 'size of the workspace volume; it can only grow')
    .option('--timeout <duration>', 'stop after running this long')
    .option('--idle-timeout <duration>', 'stop after this long without use')
    .option('--grace-period <duration>', 'how long to be warned before such a stop')
    .option('--auto-resume', 'start it again when somebody uses it')
    .option('--no-auto-resume', 'leave it stopped until it is resumed')
    .option('--label <name=value>', 'label; may be repeated', repeat)
    .option('--annotation <name=value>', 'annotation; may be repeated', repeat)
    .option('--dry-run', 'have the server judge the change without storing it')
    .addHelpText(
      'after',
      examples(
        'kubectl agenttier patch demo --idle-timeout 2h',
        'kubectl agenttier patch demo --cpu 4 --memory 8Gi',
        'kubectl agenttier patch demo --label team=red --label old-',
      ),
    )
    .action(async (name: string, _options: unknown, self: Command) => {
      const options = { ...self.optsWithGlobals<Omit<PatchOptions, 'name'>>(), name };
      await perform(app, async () => (await import('./run.ts')).runPatch, options);
    });
  completeArguments(command, 'sandboxes', 'none');
}
