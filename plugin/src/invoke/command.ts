// SPDX-License-Identifier: Apache-2.0
import { type Command, Option } from 'commander';
import { type App, completeArguments, examples, perform } from '../context/app.ts';
import type { InvokeOptions } from './run.ts';

const DESCRIPTION = `Run the agent of a sandbox once and show what it prints. The command ends with the exit code of the agent; with 124 when its time was over.

Ctrl-C cancels the invocation. A connection that breaks does not: it is taken up again where it was. It goes through the router.`;

export function addInvoke(program: Command, app: App): void {
  const command = program
    .command('invoke <name>')
    .summary('Run the agent of a sandbox')
    .usage('NAME [flags]')
    .description(DESCRIPTION)
    .option('--prompt <text>', 'add --prompt=TEXT to the command; without an input it is the input too')
    .option('--input <text>', 'input of the agent: a text, @FILE, or - for standard input')
    .option('--timeout <duration>', 'end it after this time; the template and the policy may say less')
    .option('--cancel <id>', 'cancel the invocation of this id instead')
    .addOption(new Option('-o, --output <format>', 'json prints an object a line').choices(['json']))
    .addHelpText(
      'after',
      examples(
        'kubectl agenttier invoke helper --prompt "summarise /workspace/report.md"',
        'kubectl agenttier invoke helper --input @task.json --timeout 5m',
        'kubectl agenttier invoke helper --prompt hello -o json | jq -r "select(.event == \\"log\\") | .data"',
        'kubectl agenttier invoke helper --cancel inv-0123456789abcdef01234567',
      ),
    )
    .action(async (name: string, _options: unknown, self: Command) => {
      const options = { ...self.optsWithGlobals<Omit<InvokeOptions, 'name'>>(), name };
      await perform(app, async () => (await import('./run.ts')).runInvoke, options);
    });
  completeArguments(command, 'sandboxes', 'none');
}
