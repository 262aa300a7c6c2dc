// SPDX-License-Identifier: Apache-2.0
import type { Command } from 'commander';
import { addOutputOption, type App, examples, perform } from '../context/app.ts';
import type { PolicyOptions } from './run.ts';

export function addPolicy(program: Command, app: App): void {
  const policy = program
    .command('policy')
    .alias('policies')
    .summary('Show the limits of a namespace and what is used of them')
    .description('Governance of a namespace: the policies of cluster and namespace together.')
    .usage('effective|usage [flags]');
  addOutputOption(policy.command('effective'))
    .option('--no-headers', 'print a table without its header line')
    .summary('Show the limits in force, and which policy sets each')
    .description(
      'Show what the policies of cluster and namespace come to together. A limit that both set is listed once for amounts, where the smaller one counts, and twice for lists, where both must be met.',
    )
    .addHelpText(
      'after',
      examples('kubectl agenttier policy effective', 'kubectl agenttier policy effective -n team -o json'),
    )
    .action(async (_options: unknown, self: Command) => {
      const options = self.optsWithGlobals<PolicyOptions>();
      await perform(app, async () => (await import('./run.ts')).runEffective, options);
    });
  addOutputOption(policy.command('usage'))
    .option('--no-headers', 'print a table without its header line')
    .summary('Show what is counted, the limit and what is left')
    .description(
      'Show, for the policies of cluster and namespace, what their status counts against each limit: sandboxes in all and by person, CPU, memory, storage.',
    )
    .addHelpText(
      'after',
      examples('kubectl agenttier policy usage', 'kubectl agenttier policy usage -n team -o json'),
    )
    .action(async (_options: unknown, self: Command) => {
      const options = self.optsWithGlobals<PolicyOptions>();
      await perform(app, async () => (await import('./run.ts')).runUsage, options);
    });
}
