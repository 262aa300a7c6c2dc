// SPDX-License-Identifier: Apache-2.0
import type { Command } from 'commander';
import { addOutputOption, type App, examples, perform } from '../context/app.ts';
import type { CheckOptions } from './run.ts';

const DESCRIPTION = `Ask the cluster for its verdict on every object in a file or folder, without storing anything: schema, templates and policy, exactly as apply would be judged. Exits with 1 when any object is refused.`;

export function addCheck(program: Command, app: App): void {
  addOutputOption(program.command('check'))
    .summary('Have objects judged by the cluster without storing them')
    .description(DESCRIPTION)
    .requiredOption('-f, --filename <path>', 'file, folder, or - for standard input')
    .addHelpText(
      'after',
      examples(
        'kubectl agenttier check -f sandbox.yaml',
        'kubectl agenttier check -f deploy/ -o json',
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
