// SPDX-License-Identifier: Apache-2.0
import { type Command, Option } from 'commander';
import { addOutputOption, type App, examples, perform, repeat } from '../context/app.ts';
import type { CreateOptions } from './run.ts';

export function addCreate(program: Command, app: App): void {
  const command = addOutputOption(program.command('create [name]'))
    .summary('Create a sandbox')
    .description('Create a sandbox from a template, from a file, or from both: flags win over the file.')
    .option(
      '-t, --template <name>',
      'template: NAME, or KIND/NAME to tell a SandboxTemplate from a ClusterSandboxTemplate',
    )
    .option('-f, --filename <file>', 'a Sandbox in YAML or JSON to start from; - reads standard input');
  addSpecOptions(command)
    .option('-w, --wait', 'wait until the sandbox runs')
    .option('--wait-timeout <duration>', 'for how long to wait', '180s')
    .addOption(
      new Option(
        '--dry-run <mode>',
        'client prints what would be sent; server has it judged without storing it',
      ).choices(['client', 'server', 'none']),
    )
    .addHelpText(
      'after',
      examples(
        'kubectl agenttier create demo --template minimal-shell --wait',
        'kubectl agenttier create demo -t python --cpu 2 --memory 4Gi --env STAGE=dev',
        'kubectl agenttier create demo -t python --dry-run=client -o yaml > demo.yaml',
      ),
    )
    .action(async (name: string | undefined, _options: unknown, self: Command) => {
      const options = { ...self.optsWithGlobals<CreateOptions>(), ...(name === undefined ? {} : { name }) };
      await perform(app, async () => (await import('./run.ts')).runCreate, options);
    });
}

function addSpecOptions(command: Command): Command {
  return command
    .option('--image <reference>', 'container image')
    .option('--cpu <quantity>', 'limit of CPU, for instance 500m or 2')
    .option('--cpu-request <quantity>', 'CPU to reserve')
    .option('--memory <quantity>', 'limit of memory, for instance 512Mi')
    .option('--memory-request <quantity>', 'memory to reserve')
    .option('--storage-size <quantity>', 'size of the workspace volume')
    .option('--timeout <duration>', 'stop after running this long')
    .option('--idle-timeout <duration>', 'stop after this long without use')
    .option('--grace-period <duration>', 'how long to be warned before such a stop')
    .option('--auto-resume', 'start it again when somebody uses it')
    .option('--env <name=value>', 'environment variable; may be repeated', repeat)
    .option('--allow-internet', 'open the network to the internet')
    .option('--runtime-class <name>', 'RuntimeClass of the pod, for instance gvisor');
}
