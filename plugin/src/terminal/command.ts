// SPDX-License-Identifier: Apache-2.0
import { type Command, Option } from 'commander';
import { WAYS } from '../client/router.ts';
import { type App, completeArguments, examples, perform } from '../context/app.ts';
import { DEFAULT_DETACH_KEY } from './detachKey.ts';
import type { TerminalOptions } from './run.ts';

const DESCRIPTION = `Open the shell of a sandbox in this terminal.

The shell lives in the sandbox, not in the connection: leave it with Ctrl-] and come back later, or from elsewhere, with the same command. When the connection drops it is made again by itself, and the output goes on where it stopped. Ending the shell (exit, Ctrl-D) ends the command with the shell's exit code.

With AGENTTIER_API_URL and AGENTTIER_API_KEY set the way in is the router, otherwise the API server's exec.`;

export function addTerminal(program: Command, app: App): void {
  const command = program
    .command('terminal <name>')
    .alias('ssh')
    .summary('Open the shell of a sandbox; Ctrl-] leaves it running')
    .description(DESCRIPTION)
    .option('--session <name>', 'name of the shell session; a new name starts another shell', 'main')
    .option(
      '--detach-key <key>',
      'key that leaves the shell running: ctrl-a to ctrl-z, ctrl-], or none',
      DEFAULT_DETACH_KEY,
    )
    .option(
      '--reconnect-timeout <duration>',
      'for how long to try to reconnect after the connection dropped',
      '2m',
    )
    .addOption(new Option('--via <way>', 'the way into the sandbox').choices(WAYS).default('auto'))
    .addHelpText(
      'after',
      examples(
        'kubectl agenttier terminal demo',
        'kubectl agenttier terminal demo --session build',
        'kubectl agenttier terminal demo --detach-key none    # Ctrl-] goes to the editor',
      ),
    )
    .action(async (name: string, _options: unknown, self: Command) => {
      const options = { ...self.optsWithGlobals<Omit<TerminalOptions, 'name'>>(), name };
      await perform(app, async () => (await import('./run.ts')).runTerminal, options);
    });
  completeArguments(command, 'sandboxes');
}
