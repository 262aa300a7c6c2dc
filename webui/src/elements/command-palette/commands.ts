// SPDX-License-Identifier: Apache-2.0
import type { Sandbox } from '../../data/sandboxes.ts';

/** Something that can be chosen by its words. */
export interface Command {
  readonly id: string;
  readonly text: string;
  /** What kind of thing it is, or where. */
  readonly hint: string;
}

/** A sandbox as commands see it: its terminal when there is one to open, else its settings. */
export interface SandboxCommand extends Command {
  readonly sandbox: Sandbox;
  readonly target: 'terminal' | 'settings';
}

type Hints = Readonly<Record<SandboxCommand['target'], string>>;

export const commandsOf = (sandboxes: readonly Sandbox[], hints: Hints): readonly SandboxCommand[] =>
  sandboxes.flatMap((sandbox) =>
    (['terminal', 'settings'] as const)
      .filter((target) => target === 'settings' || sandbox.status === 'Running')
      .map((target) => ({
        id: `${target}:${sandbox.namespace}/${sandbox.name}`,
        text: sandbox.name,
        hint: `${hints[target]} · ${sandbox.namespace}`,
        sandbox,
        target,
      })),
  );

/** Nobody reads more; a few more letters find what is missing. */
const MOST = 50;

/** Those with every word of the text in them; what begins with the text is first. */
export function matching<C extends Command>(commands: readonly C[], text: string): readonly C[] {
  const typed = text.trim().toLowerCase();
  const words = typed.split(/\s+/);
  const rank = (command: C): number => (command.text.toLowerCase().startsWith(typed) ? 0 : 1);
  return commands
    .filter((command) => {
      const all = `${command.text} ${command.hint}`.toLowerCase();
      return words.every((word) => all.includes(word));
    })
    .toSorted((a, b) => rank(a) - rank(b))
    .slice(0, MOST);
}

/** The entry after some key, round and round; undefined = the key moves nothing. */
export function moved(key: string, at: number, count: number): number | undefined {
  if (count === 0) return undefined;
  if (key === 'ArrowDown') return (at + 1) % count;
  if (key === 'ArrowUp') return (at - 1 + count) % count;
  if (key === 'PageDown') return Math.min(at + 8, count - 1);
  if (key === 'PageUp') return Math.max(at - 8, 0);
  return undefined;
}
