// SPDX-License-Identifier: Apache-2.0
import type { SandboxStatus } from '@agenttier/crds/generated/types';
import type { EventNote } from '../decision/actions.ts';
import { no, yes } from '../decision/finding.ts';
import type { Finding } from '../decision/finding.ts';
import type { AgentWish } from './wish.ts';

/** `status.agentConfigure`. */
export type AgentConfigure = NonNullable<SandboxStatus['agentConfigure']>;

/** How telling and installing ended. */
export interface Ending {
  readonly podUid: string;
  /** Absent where there was nothing to install. */
  readonly install?: { readonly id: string; readonly exitCode: number; readonly skipped: boolean };
  /** ConfigMap with a log that was written just now. */
  readonly logName?: string;
  readonly now: number;
}

/** A step on the way: log, result and marks of the last end stay, by which a new configuration is told from an old one. */
export function underWay(
  wish: AgentWish,
  last: AgentConfigure,
  state: 'Pending' | 'Installing',
): AgentConfigure {
  const { podUid, configHash, installCommandHash, installExitCode, lastConfiguredAt } = last;
  const kept = { podUid, configHash, installCommandHash, installExitCode, lastConfiguredAt };
  return present({ ...limitsOf(wish, last), ...kept, state });
}

export function ended(wish: AgentWish, last: AgentConfigure, ending: Ending): AgentConfigure {
  const { podUid, install, logName, now } = ending;
  const at = new Date(now).toISOString().replace(/\.\d+Z$/, 'Z');
  return present({
    ...limitsOf(wish, last),
    state: (install?.exitCode ?? 0) === 0 ? 'Ready' : 'Failed',
    podUid,
    configHash: wish.configHash,
    lastConfiguredAt: isNews(wish, last, ending) ? at : last.lastConfiguredAt,
    installCommandHash: install?.id,
    installExitCode: install?.exitCode,
    skipped: install?.skipped || undefined,
    ...(logName === undefined ? {} : { installLogConfigMapRef: { name: logName } }),
  });
}

/** Something was installed, or the agent is configured in another way than before: not just a new pod told the same. */
export const isNews = (wish: AgentWish, last: AgentConfigure, { logName }: Ending): boolean =>
  logName !== undefined || last.configHash !== wish.configHash;

export function eventOf({ state, installExitCode, skipped }: AgentConfigure): EventNote {
  if (state === 'Failed') {
    const note = `The installation of the agent failed with exit code ${installExitCode}; see its log`;
    return { type: 'Warning', reason: 'AgentConfigureFailed', note };
  }
  const done = installExitCode === undefined ? '' : ' and installed';
  return {
    type: 'Normal',
    reason: 'AgentConfigured',
    note: `Agent is configured${skipped ? '; the same was installed before' : done}`,
  };
}

/** The condition Configured of an agent that was told everything. */
export function findingOf({ state, entrypoint = [], installExitCode }: AgentConfigure): Finding {
  if (state === 'Failed') {
    return no('InstallFailed', `the installation ended with exit code ${installExitCode}`);
  }
  return entrypoint.length > 0
    ? yes('Configured', 'the agent can be invoked')
    : no('NotConfigured', 'the agent has no entrypoint: set spec.agentConfig.entrypoint');
}

function limitsOf({ settings, configuredBy }: AgentWish, last: AgentConfigure): Partial<AgentConfigure> {
  const { entrypoint, maxConcurrent, defaultTimeoutSeconds, maxTimeoutSeconds } = settings;
  return present({
    entrypoint: entrypoint.length > 0 ? entrypoint : undefined,
    maxConcurrentInvokes: maxConcurrent,
    defaultInvokeTimeoutSeconds: defaultTimeoutSeconds,
    maxInvokeTimeoutSeconds: maxTimeoutSeconds || undefined,
    configuredBy,
    installLogConfigMapRef: last.installLogConfigMapRef,
  });
}

function present(
  members: { readonly [F in keyof AgentConfigure]: AgentConfigure[F] | undefined },
): AgentConfigure {
  return Object.fromEntries(Object.entries(members).filter(([, value]) => value !== undefined));
}
