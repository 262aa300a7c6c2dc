// SPDX-License-Identifier: Apache-2.0
import type { Command } from 'commander';
import { addOutputOption, type App, examples, perform } from '../context/app.ts';
import type { PolicyOptions } from './run.ts';
import type { PolicyWriteOptions } from './write.ts';

export function addPolicy(program: Command, app: App): void {
  const policy = program
    .command('policy')
    .alias('policies')
    .summary('Show and set the limits of a namespace, and what is used of them')
    .description('Governance of a namespace: the policies of cluster and namespace together.')
    .usage('effective|usage|get|set|delete [flags]');
  addWrites(policy, app);
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

const CLUSTER = 'the policy of the whole cluster instead of the namespace’s';

/** The policy objects themselves. */
function addWrites(policy: Command, app: App): void {
  addOutputOption(policy.command('get'))
    .summary('Print a policy as it is stored')
    .option('--cluster', CLUSTER)
    .addHelpText(
      'after',
      examples('kubectl agenttier policy get -n team', 'kubectl agenttier policy get --cluster'),
    )
    .action(async (_options: unknown, self: Command) => {
      const options = { ...self.optsWithGlobals<Omit<PolicyWriteOptions, 'fields'>>(), fields: [] };
      await perform(app, async () => (await import('./write.ts')).getPolicy, options);
    });
  addOutputOption(policy.command('set [field...]'))
    .summary('Set fields of a policy, or all of it from a file')
    .description(
      'Set fields of a policy: FIELD=VALUE, the value in YAML, or FIELD- to remove it. A dot leads into a member. With -f the policy becomes that of the file.',
    )
    .option('--cluster', CLUSTER)
    .option('-f, --filename <file>', 'a policy in YAML or JSON; - reads standard input')
    .option('--dry-run', 'have the server judge it without storing it')
    .addHelpText(
      'after',
      examples(
        "kubectl agenttier policy set -n team maxCpu=4 'allowedTemplates=[python, go]' total.memory=64Gi",
        'kubectl agenttier policy set --cluster maxTimeout=24h maxSandboxesPerUser-',
      ),
    )
    .action(async (fields: string[], _options: unknown, self: Command) => {
      const options = { ...self.optsWithGlobals<Omit<PolicyWriteOptions, 'fields'>>(), fields };
      await perform(app, async () => (await import('./write.ts')).setPolicy, options);
    });
  policy
    .command('delete')
    .summary('Delete a policy: its limits are gone')
    .option('--cluster', CLUSTER)
    .action(async (_options: unknown, self: Command) => {
      const options = { ...self.optsWithGlobals<Omit<PolicyWriteOptions, 'fields'>>(), fields: [] };
      await perform(app, async () => (await import('./write.ts')).deletePolicy, options);
    });
}
