// SPDX-License-Identifier: Apache-2.0
import { type Command, Option } from 'commander';
import {
  addListOptions,
  addOutputOption,
  type App,
  type Candidates,
  completeArguments,
  examples,
  perform,
  type Run,
} from './app.ts';
import type { GlobalFlags } from './host.ts';

/** What every verb that is written down as data hands to its work. */
export interface VerbOptions extends GlobalFlags {
  /** The positional words, in order. */
  readonly args: readonly string[];
  readonly output?: string;
  readonly headers?: boolean;
  readonly selector?: string;
}

export interface Flag {
  readonly flags: string;
  readonly about: string;
  readonly fallback?: string;
  readonly choices?: readonly string[];
}

/** A command below another one: flags, help and completion as data, the work loaded when it runs. */
export interface Verb<T extends VerbOptions> {
  /** Name and positional words, as commander reads them. */
  readonly usage: string;
  readonly aliases?: readonly string[];
  readonly summary: string;
  readonly description?: string;
  readonly flags?: readonly Flag[];
  /** `rows` prints a table unless told otherwise, `value` a sentence or an object; nothing else has an `-o`. */
  readonly output?: 'rows' | 'value';
  readonly completes?: readonly Candidates[];
  readonly examples: readonly string[];
  readonly load: () => Promise<Run<T>>;
}

/** A command that only holds others. */
export interface Group {
  readonly name: string;
  readonly aliases?: readonly string[];
  readonly summary: string;
  readonly description: string;
  readonly verbs: string;
}

export function addGroup(program: Command, group: Group): Command {
  return program
    .command(group.name)
    .aliases(group.aliases ?? [])
    .summary(group.summary)
    .description(group.description)
    .usage(`${group.verbs} [flags]`);
}

export function addVerb<T extends VerbOptions>(parent: Command, app: App, verb: Verb<T>): Command {
  const command = parent
    .command(verb.usage)
    .aliases(verb.aliases ?? [])
    .summary(verb.summary);
  command.description(verb.description ?? `${verb.summary}.`);
  for (const flag of verb.flags ?? []) {
    const option = new Option(flag.flags, flag.about);
    if (flag.choices) option.choices(flag.choices);
    if (flag.fallback !== undefined) option.default(flag.fallback);
    command.addOption(option);
  }
  if (verb.output === 'rows') addListOptions(command);
  if (verb.output === 'value') addOutputOption(command);
  command.addHelpText('after', examples(...verb.examples));
  command.action(async () => {
    const options: unknown = { ...command.optsWithGlobals(), args: command.args };
    await perform(app, verb.load, options as T);
  });
  return completeArguments(command, ...(verb.completes ?? []));
}
