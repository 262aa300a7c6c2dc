// SPDX-License-Identifier: Apache-2.0
import type { Command } from 'commander';
import {
  addListOptions,
  addOutputOption,
  type App,
  completeArguments,
  examples,
  perform,
} from '../context/app.ts';
import type { CreatePoolOptions } from './create.ts';
import type { ListPoolsOptions } from './list.ts';
import type { ScalePoolOptions } from './scale.ts';

export function addPool(program: Command, app: App): void {
  const pool = program
    .command('pool')
    .aliases(['pools', 'warmpool'])
    .summary('Warm pools: prepared pods that first starts take')
    .description('Warm pools of a namespace. Whether you may write them is a matter of RBAC.')
    .usage('list|get|create|scale|delete [flags]');
  addRead(pool, app);
  addCreate(pool, app);
  const scale = addOutputOption(pool.command('scale <name>'))
    .summary('Set how many prepared pods a pool keeps')
    .requiredOption('--replicas <count>', 'prepared pods to keep')
    .addHelpText('after', examples('kubectl agenttier pool scale shells --replicas 10'))
    .action(async (name: string, _options: unknown, self: Command) => {
      const options = { ...self.optsWithGlobals<Omit<ScalePoolOptions, 'name'>>(), name };
      await perform(app, async () => (await import('./scale.ts')).scalePool, options);
    });
  const remove = pool
    .command('delete <name...>')
    .alias('rm')
    .summary('Delete pools with their free pods')
    .action(async (names: string[], _options: unknown, self: Command) => {
      const options = { ...self.optsWithGlobals<Omit<ListPoolsOptions, 'names'>>(), names };
      await perform(app, async () => (await import('./delete.ts')).deletePools, options);
    });
  completeArguments(scale, 'pools', 'none');
  completeArguments(remove, 'pools');
}

function addRead(pool: Command, app: App): void {
  const read = (command: Command): Command =>
    addListOptions(command)
      .option('-A, --all-namespaces', 'of all namespaces')
      .action(async (names: string[] | undefined, _options: unknown, self: Command) => {
        const flags = self.optsWithGlobals<Omit<ListPoolsOptions, 'names'>>();
        const options = { ...flags, names: Array.isArray(names) ? names : [] };
        await perform(app, async () => (await import('./list.ts')).listPools, options);
      });
  const list = read(pool.command('list [name...]').aliases(['ls', 'status']))
    .summary('List pools with what they want and have')
    .addHelpText('after', examples('kubectl agenttier pool list -A', 'kubectl agenttier warmpool status'));
  const get = read(pool.command('get <name...>')).summary('Show pools by name');
  completeArguments(list, 'pools');
  completeArguments(get, 'pools');
}

function addCreate(pool: Command, app: App): void {
  addOutputOption(pool.command('create <name>'))
    .summary('Create a pool for a template')
    .requiredOption('-t, --template <name>', 'template of the prepared pods')
    .option('--replicas <count>', 'prepared pods to keep', '1')
    .option('--max-age <duration>', 'age at which an unused pod is replaced')
    .option(
      '--storage-size <quantity>',
      'size of their volumes, where sandboxes ask for another than the template',
    )
    .option('--dry-run', 'have the server judge it without storing it')
    .addHelpText('after', examples('kubectl agenttier pool create shells -t minimal-shell --replicas 5'))
    .action(async (name: string, _options: unknown, self: Command) => {
      const options = { ...self.optsWithGlobals<Omit<CreatePoolOptions, 'name'>>(), name };
      await perform(app, async () => (await import('./create.ts')).createPool, options);
    });
}
