// SPDX-License-Identifier: Apache-2.0
import { Argument, type Command } from 'commander';
import { type App, examples, perform } from '../context/app.ts';
import { SHELLS, type Shell } from './scripts.ts';

const DESCRIPTION = `Print a script that teaches the shell to complete this plugin.

kubectl completes plugins by itself: put an executable kubectl_complete-agenttier with these two lines on the PATH.
  #!/bin/sh
  exec kubectl-agenttier __complete "$@"
The scripts printed here are for calling kubectl-agenttier under its own name.`;

export function addCompletion(program: Command, app: App): void {
  program
    .command('completion')
    .summary('Print a shell completion script')
    .description(DESCRIPTION)
    .addArgument(new Argument('<shell>', 'the shell').choices(SHELLS))
    .addHelpText(
      'after',
      examples('source <(kubectl agenttier completion bash)', 'kubectl agenttier completion fish | source'),
    )
    .action(async (shell: Shell) => {
      await perform(app, async () => (await import('./run.ts')).printScript, shell);
    });
}
