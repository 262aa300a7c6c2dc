// SPDX-License-Identifier: Apache-2.0
import { CommandError } from '../context/failure.ts';

/** The flags of `patch` that change something. */
export interface ChangeFlags {
  readonly cpu?: string;
  readonly cpuRequest?: string;
  readonly memory?: string;
  readonly memoryRequest?: string;
  readonly storageSize?: string;
  readonly timeout?: string;
  readonly idleTimeout?: string;
  readonly gracePeriod?: string;
  readonly autoResume?: boolean;
  readonly label?: readonly string[];
  readonly annotation?: readonly string[];
}

/** The merge patch that the flags describe. Throws CommandError when they describe none. */
export function changeOf(flags: ChangeFlags): Record<string, unknown> {
  const metadata = filled({
    labels: assignments('--label', flags.label),
    annotations: assignments('--annotation', flags.annotation),
  });
  const { timeout, idleTimeout, gracePeriod, autoResume } = flags;
  const spec = filled({
    timeout,
    idleTimeout,
    gracePeriod,
    autoResume,
    resources: filled({
      limits: filled({ cpu: flags.cpu, memory: flags.memory }),
      requests: filled({ cpu: flags.cpuRequest, memory: flags.memoryRequest }),
    }),
    storage: filled({ size: flags.storageSize }),
  });
  const change = filled({ metadata, spec });
  if (change === undefined) {
    throw new CommandError(
      'nothing to change: give at least one flag, see kubectl agenttier patch --help',
      2,
    );
  }
  return change;
}

/** The members that are there, undefined when none is. */
function filled(members: Readonly<Record<string, unknown>>): Record<string, unknown> | undefined {
  const entries = Object.entries(members).filter(([, value]) => value !== undefined);
  return entries.length === 0 ? undefined : Object.fromEntries(entries);
}

/** `name=value` sets, `name-` removes: null does that in a merge patch. */
function assignments(
  flag: string,
  texts: readonly string[] | undefined,
): Record<string, string | null> | undefined {
  if (texts === undefined) return undefined;
  return Object.fromEntries(texts.map((text) => assignment(flag, text)));
}

function assignment(flag: string, text: string): [string, string | null] {
  const at = text.indexOf('=');
  if (at > 0) return [text.slice(0, at), text.slice(at + 1)];
  if (at < 0 && text.length > 1 && text.endsWith('-')) return [text.slice(0, -1), null];
  throw new CommandError(`${flag}: ${JSON.stringify(text)} is neither NAME=VALUE nor NAME-`, 2);
}
