// SPDX-License-Identifier: Apache-2.0
import type { Command, Option } from 'commander';

const HEAD = `# kubectl agenttier

Every command with its flags, made from the program itself. [The plugin's README](../../plugin/README.md) says how it connects and what its exit codes mean.
Flags stand anywhere after the command; those at the end of this page go with every command.
`;

/** The page about all commands, in the order of the program's own help. */
export function renderCommands(program: Command): string {
  const parts = leavesOf(program, []).map(({ command, path }) => section(command, path));
  return [HEAD, ...parts, '## Flags of every command\n', optionTable(program.options)].join('\n');
}

interface Leaf {
  readonly command: Command;
  readonly path: readonly string[];
}

function leavesOf(command: Command, path: readonly string[]): Leaf[] {
  return command.commands.flatMap((child) => {
    const here = [...path, child.name()];
    return child.commands.length > 0 ? leavesOf(child, here) : [{ command: child, path: here }];
  });
}

function section(command: Command, path: readonly string[]): string {
  const words = command.registeredArguments.map((argument) => {
    const word = `${argument.name().toUpperCase()}${argument.variadic ? '...' : ''}`;
    return argument.required ? word : `[${word}]`;
  });
  const line = ['kubectl agenttier', ...path, ...words].join(' ');
  const aliases = command.aliases().length > 0 ? `Also: ${command.aliases().map(code).join(', ')}.\n` : '';
  const shown = command.options.filter(({ hidden }) => !hidden);
  return [
    `## ${path.join(' ')}\n`,
    `\`\`\`\n${line}\n\`\`\`\n`,
    `${command.description() || command.summary()}\n`,
    ...(aliases === '' ? [] : [aliases]),
    ...(shown.length === 0 ? [] : [optionTable(shown)]),
  ].join('\n');
}

function optionTable(options: readonly Option[]): string {
  const rows = options.map(({ flags, description, defaultValue, argChoices }) => {
    const facts = [
      ...(argChoices ? [`one of ${argChoices.join(', ')}`] : []),
      ...(typeof defaultValue === 'string' ? [`default ${code(defaultValue)}`] : []),
    ];
    return `| ${code(flags)} | ${cell([description, ...facts].join('; '))} |`;
  });
  return `| Flag | Meaning |\n|---|---|\n${rows.join('\n')}\n`;
}

const code = (text: string): string => `\`${cell(text)}\``;
const cell = (text: string): string => text.replaceAll('|', String.raw`\|`);
