// SPDX-License-Identifier: Apache-2.0
import { type Command, Option } from 'commander';
import { WAYS } from '../client/router.ts';
import { type App, completeArguments, examples, perform } from '../context/app.ts';
import type { ExecOptions } from './run.ts';

const DESCRIPTION = `Run a command in a sandbox. The command ends with the exit code of the one it ran.

Without -i and -t it goes through the router when AGENTTIER_API_URL and AGENTTIER_API_KEY are set (output arrives at the end, at most 8 MiB of each stream); otherwise, and with -i or -t, through the API server's exec.`;

export function addExec(program: Command, app: App): void {
  const command = program
    .command('exec <name> <command...>')
    .summary('Run a command in a sandbox')
    .usage('NAME [flags] -- COMMAND [args...]')
    .description(DESCRIPTION)
    .option('-i, --stdin', 'hand standard input to the command')
    .option('-t, --tty', 'give the command a terminal')
    .option('--timeout <duration>', 'end the command after this time')
    .addOption(new Option('--via <way>', 'the way into the sandbox').choices(WAYS).default('auto'))
    .addHelpText(
      'after',
      examples(
        'kubectl agenttier exec demo -- uname -a',
        'tar c src | kubectl agenttier exec demo -i -- tar x -C /workspace',
        "kubectl agenttier exec demo -- sh -c 'exit 3'; echo $?    # 3",
      ),
    )
    .action(async (name: string, words: string[], _options: unknown, self: Command) => {
      const options = {
        ...self.optsWithGlobals<Omit<ExecOptions, 'name' | 'command'>>(),
        name,
        command: words,
      };
      await perform(app, async () => (await import('./run.ts')).runExec, options);
    });
  completeArguments(command, 'sandboxes', 'none');
}
