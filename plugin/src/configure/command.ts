// SPDX-License-Identifier: Apache-2.0
import { type Command, Option } from 'commander';
import { type App, completeArguments, examples, perform, repeat } from '../context/app.ts';
import type { ConfigureOptions } from './run.ts';

const DESCRIPTION = `Bring files into an agent sandbox, install what it needs, and say what an invocation runs. The log of the installation is shown while it runs; the command ends with the exit code of the installation.

The installation goes on when the command ends before it: the same command shows it again. What was installed already is left out. It goes through the router.`;

export function addConfigure(program: Command, app: App): void {
  const command = program
    .command('configure <name>')
    .summary('Install the agent of a sandbox')
    .usage('NAME [flags]')
    .description(DESCRIPTION)
    .option('--file <remote=local>', 'put the local file at the remote path; may be repeated', repeat)
    .option(
      '--install <command>',
      'command that installs the agent; words and quotes as in a shell, run without one',
    )
    .option('--entrypoint <command>', 'command that each invocation runs')
    .addOption(new Option('-o, --output <format>', 'json prints an object a line').choices(['json']))
    .addHelpText(
      'after',
      examples(
        'kubectl agenttier configure helper --file /workspace/agent.py=agent.py --entrypoint "python3 /workspace/agent.py"',
        'kubectl agenttier configure helper --file /workspace/requirements.txt=requirements.txt --install "pip install -r /workspace/requirements.txt"',
      ),
    )
    .action(async (name: string, _options: unknown, self: Command) => {
      const options = { ...self.optsWithGlobals<Omit<ConfigureOptions, 'name'>>(), name };
      await perform(app, async () => (await import('./run.ts')).runConfigure, options);
    });
  completeArguments(command, 'sandboxes', 'none');
}
