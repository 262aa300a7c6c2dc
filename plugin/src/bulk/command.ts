// SPDX-License-Identifier: Apache-2.0
import { Argument, type Command } from 'commander';
import { addOutputOption, type App, completeArguments, examples, perform } from '../context/app.ts';
import type { BulkActionOptions } from './action.ts';
import type { BulkCreateOptions } from './create.ts';
import { BULK_ACTIONS } from './verbs.ts';

export function addBulk(program: Command, app: App): void {
  const bulk = program
    .command('bulk')
    .summary('Create, stop, resume or delete many sandboxes')
    .description(
      'Do one thing to many sandboxes. One that fails does not keep the others from being handled.',
    )
    .usage('create|stop|resume|delete [flags]');
  addOutputOption(bulk.command('create'))
    .summary('Create the sandboxes of a file')
    .requiredOption('-f, --filename <file>', 'Sandboxes in YAML or JSON; - reads standard input')
    .option('--dry-run', 'have the server judge them without storing them')
    .addHelpText('after', examples('kubectl agenttier bulk create -f team.yaml'))
    .action(async (_options: unknown, self: Command) => {
      const options = self.optsWithGlobals<BulkCreateOptions>();
      await perform(app, async () => (await import('./create.ts')).bulkCreate, options);
    });
  for (const verb of BULK_ACTIONS) addAction(bulk, app, verb);
}

/** Nothing is left of what is deleted but its name. */
const BULK_OUTPUT = {
  stop: 'json, yaml, wide, name or jsonpath=TEMPLATE',
  resume: 'json, yaml, wide, name or jsonpath=TEMPLATE',
  delete: 'name prints only the names',
} as const;

function addAction(bulk: Command, app: App, verb: (typeof BULK_ACTIONS)[number]): void {
  const command = bulk
    .command(verb)
    .addArgument(new Argument('[name...]', 'the sandboxes, when no flag picks them'))
    .summary(`${verb[0]?.toUpperCase()}${verb.slice(1)} the sandboxes with a label, in a state, or by name`)
    .option('-l, --selector <selector>', 'those with these labels, for instance team=red')
    .option('--status <status>', 'only those in this state, for instance Error')
    .option('--all', 'all of the namespace')
    .option('--dry-run', 'only say which they are')
    .option('-o, --output <format>', BULK_OUTPUT[verb])
    .addHelpText(
      'after',
      examples(
        `kubectl agenttier bulk ${verb} -l team=red`,
        `kubectl agenttier bulk ${verb} --all --dry-run`,
      ),
    )
    .action(async (names: string[], _options: unknown, self: Command) => {
      const options = { ...self.optsWithGlobals<Omit<BulkActionOptions, 'names' | 'verb'>>(), names, verb };
      await perform(app, async () => (await import('./action.ts')).bulkAction, options);
    });
  completeArguments(command, 'sandboxes');
}
