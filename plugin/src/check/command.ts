// SPDX-License-Identifier: Apache-2.0
import type { Command } from 'commander';
import { addOutputOption, type App, examples, perform } from '../context/app.ts';
import type { CheckOptions } from './run.ts';

const DESCRIPTION = `Ask the cluster for its verdict on every object in files or folders, without storing anything: schema, templates, policy and quota, exactly as apply would be judged. Exits with 1 when any object is refused.

A sandbox whose template or policy is in the same input, and is new or changed there, is judged with that one, by the rules of admission in this program: the cluster cannot know it yet. The verdict then says so.`;

export function addCheck(program: Command, app: App): void {
  addOutputOption(program.command('check'))
    .summary('Have objects judged by the cluster without storing them')
    .description(DESCRIPTION)
    .requiredOption('-f, --filename <path...>', 'files, folders, or - for standard input')
    .option('-R, --recursive', 'with the folders below a folder')
    .addHelpText(
      'after',
      examples(
        'kubectl agenttier check -f sandbox.yaml',
        'kubectl agenttier check -R -f deploy/ -o json > verdicts.json   # in CI, on a pull request',
        'helm template . | kubectl agenttier check -f -',
      ),
    )
    .action(async (_options: unknown, command: Command) => {
      await perform(
        app,
        async () => (await import('./run.ts')).runCheck,
        command.optsWithGlobals<CheckOptions>(),
      );
    });
}
