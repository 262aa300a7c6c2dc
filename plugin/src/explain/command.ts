// SPDX-License-Identifier: Apache-2.0
import type { Command } from 'commander';
import { addOutputOption, type App, completeArguments, examples, perform } from '../context/app.ts';
import type { ExplainOptions } from './run.ts';

export function addExplain(program: Command, app: App): void {
  const explain = program
    .command('explain')
    .summary('Show effective values, where each came from and what bounds it')
    .description(
      'Show the effective value of every field, the template, policy or default that it came from, the policy that bounds it, and what is left of that limit.',
    )
    .usage('sandbox|template NAME [flags]');
  const sandbox = addOutputOption(explain.command('sandbox <name>'))
    .alias('sbx')
    .summary('Explain a sandbox: what admission resolved it to')
    .addHelpText(
      'after',
      examples('kubectl agenttier explain sandbox demo', 'kubectl agenttier explain sandbox demo -o json'),
    )
    .action(async (name: string, _options: unknown, self: Command) => {
      const options = { ...self.optsWithGlobals<Omit<ExplainOptions, 'name'>>(), name };
      await perform(app, async () => (await import('./run.ts')).runExplainSandbox, options);
    });
  const template = addOutputOption(explain.command('template <name>'))
    .summary('Explain a template: what its chain of templates says together')
    .addHelpText(
      'after',
      examples(
        'kubectl agenttier explain template python',
        'kubectl agenttier explain template SandboxTemplate/python',
      ),
    )
    .action(async (name: string, _options: unknown, self: Command) => {
      const options = { ...self.optsWithGlobals<Omit<ExplainOptions, 'name'>>(), name };
      await perform(app, async () => (await import('./run.ts')).runExplainTemplate, options);
    });
  completeArguments(sandbox, 'sandboxes');
  completeArguments(template, 'templates');
}
