// SPDX-License-Identifier: Apache-2.0
import { type Command, Option } from 'commander';
import type { Host } from './host.ts';

/** Where completion finds the values of an argument. */
export type Candidates = 'sandboxes' | 'templates' | 'pools' | 'backups' | 'files' | 'none';

const argumentCandidates = new WeakMap<Command, readonly Candidates[]>();

/** Tells completion what the positional arguments of a command are; the last entry repeats. */
export function completeArguments(command: Command, ...kinds: readonly Candidates[]): Command {
  argumentCandidates.set(command, kinds);
  return command;
}

export function candidatesFor(command: Command, position: number): Candidates {
  const kinds = argumentCandidates.get(command) ?? [];
  return kinds[Math.min(position, kinds.length - 1)] ?? 'none';
}

export const namespaceOption = (): Option => new Option('-n, --namespace <name>', 'namespace to work in');

/** Flags that stand before or after the verb. */
export function addGlobalOptions(program: Command): Command {
  return program
    .addOption(namespaceOption())
    .option('--context <name>', 'kubeconfig context to use')
    .option('--kubeconfig <file>', 'kubeconfig file to use')
    .option('--api-url <url>', 'AgentTier router (AGENTTIER_API_URL, or what login remembered)')
    .option(
      '--api-key <key>',
      'API key for the router; prefer AGENTTIER_API_KEY, flags are visible in the process list',
    )
    .option('--token <token>', 'token of the issuer instead of a key; prefer AGENTTIER_TOKEN');
}

export function addOutputOption(command: Command): Command {
  return command.option('-o, --output <format>', 'json, yaml, wide, name or jsonpath=TEMPLATE');
}

export function addListOptions(command: Command): Command {
  return addOutputOption(command)
    .option('--no-headers', 'print a table without its header line')
    .option('-l, --selector <selector>', 'label selector, for instance team=red');
}

/** Flags of commands that make a sandbox from the data of another one. */
export function addCopyOptions(command: Command): Command {
  return addOutputOption(command)
    .option('-w, --wait', 'wait until the new sandbox runs')
    .option('--wait-timeout <duration>', 'for how long to wait', '180s');
}

/** For an option that may be given several times: collects the values. */
export const repeat = (value: string, before: readonly string[] = []): string[] => [...before, value];

export function examples(...lines: readonly string[]): string {
  return `\nExamples:\n${lines.map((line) => `  ${line}`).join('\n')}\n`;
}

/** What a command's `run.ts` exports: it prints for itself and answers the exit code (0 when it answers nothing). */
export type Run<T> = (host: Host, options: T) => Promise<number | void>;

/** Carries the exit code from the action of a command to the program. */
export interface App {
  readonly host: Host;
  exitCode: number;
}

/** Runs a command's work; `load` imports it on demand, so that a call pays only for the command it uses. */
export async function perform<T>(app: App, load: () => Promise<Run<T>>, options: T): Promise<void> {
  const run = await load();
  app.exitCode = (await run(app.host, options)) ?? 0;
}
