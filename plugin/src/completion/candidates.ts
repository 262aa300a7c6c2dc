// SPDX-License-Identifier: Apache-2.0
import type { Command, Option } from 'commander';
import { type Candidates, candidatesFor } from '../context/app.ts';

/** What the word under the cursor may become. */
export type Wanted =
  | { readonly kind: 'words'; readonly words: readonly Candidate[] }
  | { readonly kind: Candidates | 'namespaces' | 'contexts' };

export interface Candidate {
  readonly word: string;
  readonly description?: string;
}

/** Where a command line stands: the command so far, its positional words, the option that waits for a value. */
interface Position {
  readonly command: Command;
  readonly operands: readonly string[];
  readonly waiting: Option | undefined;
  readonly passthrough: boolean;
}

/** Finds out what the last word of a command line may be. `words` are all before it. */
export function wantedAt(program: Command, words: readonly string[], current: string): Wanted {
  const start: Position = { command: program, operands: [], waiting: undefined, passthrough: false };
  const at = words.reduce(advance, start);
  if (at.passthrough) return { kind: 'none' };
  if (at.waiting) return valuesOf(at.waiting);
  if (current.startsWith('-')) return wantedFlag(at.command, current);
  return wantedOperand(at);
}

function wantedFlag(command: Command, current: string): Wanted {
  const assigned = /^(--[^=]+)=/.exec(current)?.[1];
  if (assigned === undefined) return { kind: 'words', words: optionsOf(command) };
  const option = findOption(command, assigned);
  return option ? prefixed(valuesOf(option), `${assigned}=`) : { kind: 'none' };
}

function wantedOperand({ command, operands }: Position): Wanted {
  if (command.commands.length > 0 && operands.length === 0) {
    return { kind: 'words', words: command.commands.map(asCandidate) };
  }
  const choices = command.registeredArguments[operands.length]?.argChoices;
  if (choices) return { kind: 'words', words: choices.map((word) => ({ word })) };
  return { kind: candidatesFor(command, operands.length) };
}

function advance(at: Position, word: string): Position {
  if (at.passthrough || word === '--') return { ...at, passthrough: true };
  if (at.waiting) return { ...at, waiting: undefined };
  if (word.startsWith('-')) {
    const option = word.includes('=') ? undefined : findOption(at.command, word);
    return { ...at, waiting: option?.required ? option : undefined };
  }
  const child = at.operands.length === 0 ? findChild(at.command, word) : undefined;
  return child ? { ...at, command: child } : { ...at, operands: [...at.operands, word] };
}

function findChild(command: Command, word: string): Command | undefined {
  return command.commands.find((child) => child.name() === word || child.aliases().includes(word));
}

function findOption(command: Command, flag: string): Option | undefined {
  for (let owner: Command | null = command; owner; owner = owner.parent) {
    const option = owner.options.find((one) => one.short === flag || one.long === flag);
    if (option) return option;
  }
  return undefined;
}

function optionsOf(command: Command): Candidate[] {
  const found: Candidate[] = [];
  for (let owner: Command | null = command; owner; owner = owner.parent) {
    for (const option of owner.options) {
      if (option.long && !option.hidden) found.push({ word: option.long, description: option.description });
    }
  }
  return [...found, { word: '--help', description: 'display help for command' }];
}

const NAMED_VALUES: Readonly<Record<string, Exclude<Wanted['kind'], 'words'>>> = {
  '--namespace': 'namespaces',
  '--context': 'contexts',
  '--kubeconfig': 'files',
  '--filename': 'files',
  '--template': 'templates',
  '--sandbox': 'sandboxes',
};
const FORMATS = ['json', 'yaml', 'wide', 'name', 'jsonpath='];
const GOALS = ['running', 'stopped', 'deleted', 'condition='];

function valuesOf(option: Option): Wanted {
  const long = option.long ?? '';
  const named = NAMED_VALUES[long];
  if (named) return { kind: named };
  const words = option.argChoices ?? (long === '--output' ? FORMATS : long === '--for' ? GOALS : []);
  return { kind: 'words', words: words.map((word) => ({ word })) };
}

/** Shells replace the whole word, so a value completed behind `--flag=` needs the flag in front. */
function prefixed(wanted: Wanted, prefix: string): Wanted {
  if (wanted.kind !== 'words') return { kind: 'none' };
  return { kind: 'words', words: wanted.words.map((one) => ({ ...one, word: `${prefix}${one.word}` })) };
}

const asCandidate = (command: Command): Candidate => ({
  word: command.name(),
  description: command.summary(),
});
