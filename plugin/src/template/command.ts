// SPDX-License-Identifier: Apache-2.0
import type { Command } from 'commander';
import { addListOptions, type App, completeArguments, examples, perform } from '../context/app.ts';
import type { GetTemplateOptions } from './get.ts';
import type { ListTemplatesOptions } from './list.ts';

export function addTemplate(program: Command, app: App): void {
  const template = program
    .command('template')
    .alias('templates')
    .summary('List and show templates')
    .description('Templates that sandboxes can be made from: those of the cluster and those of a namespace.')
    .usage('list|get [flags]');
  addListOptions(template.command('list'))
    .alias('ls')
    .summary('List the templates of the cluster and of a namespace')
    .option('-A, --all-namespaces', 'with the templates of all namespaces')
    .addHelpText(
      'after',
      examples('kubectl agenttier template list', 'kubectl agenttier template list -o wide'),
    )
    .action(async (_options: unknown, self: Command) => {
      await perform(
        app,
        async () => (await import('./list.ts')).listTemplates,
        self.optsWithGlobals<ListTemplatesOptions>(),
      );
    });
  const get = addListOptions(template.command('get <name...>'))
    .summary('Show templates by name')
    .description(
      'Show templates. A bare name is looked for in the namespace first, then in the cluster; KIND/NAME says which.',
    )
    .addHelpText(
      'after',
      examples(
        'kubectl agenttier template get python -o yaml',
        'kubectl agenttier template get ClusterSandboxTemplate/python',
      ),
    )
    .action(async (names: string[], _options: unknown, self: Command) => {
      const options = { ...self.optsWithGlobals<Omit<GetTemplateOptions, 'names'>>(), names };
      await perform(app, async () => (await import('./get.ts')).getTemplates, options);
    });
  completeArguments(get, 'templates');
}
