// SPDX-License-Identifier: Apache-2.0
import type { Sandbox } from '@agenttier/crds/generated/types';
import { findCondition } from '@agenttier/crds/meta/conditions';
import type { ConfigureError, ConfigureResult } from '@agenttier/crds/wire/agent';
import { phaseOf } from '../../sandboxes/view.ts';

/** A configuration that the cluster has taken. */
export interface Begun {
  /** As it was stored. */
  readonly sandbox: Sandbox;
  /** It was in force already, so there was nothing to do. */
  readonly isSame: boolean;
}

/** How far a configuration is. */
export type Progress =
  | { readonly is: 'waiting' }
  | { readonly is: 'installing' }
  | { readonly is: 'failed'; readonly error: ConfigureError }
  | { readonly is: 'over'; readonly result: ConfigureResult };

const WAITING: Progress = { is: 'waiting' };

/** How far it is by the sandbox as it is now. Whatever the status says of an earlier generation is not meant. */
export function progressOf({ sandbox, isSame }: Begun, now: Sandbox | undefined): Progress {
  if (now === undefined || now.metadata.uid !== sandbox.metadata.uid) {
    return failed('install', 'the sandbox was deleted');
  }
  const phase = phaseOf(now);
  if (phase !== 'Running' && phase !== 'Creating') {
    return failed('install', `the sandbox is ${phase}; the agent is configured when it runs again`);
  }
  return isSeen(now, sandbox) ? statedOf(now, isSame) : WAITING;
}

function statedOf(now: Sandbox, isSame: boolean): Progress {
  const status = now.status?.agentConfigure ?? {};
  if (status.state === 'Installing') return { is: 'installing' };
  if (status.state === 'Ready' || status.state === 'Failed') {
    return { is: 'over', result: resultOf(status, isSame) };
  }
  return obstacleOf(now) ?? WAITING;
}

const isSeen = ({ status }: Sandbox, { metadata }: Sandbox): boolean =>
  (status?.observedGeneration ?? 0) >= (metadata.generation ?? 0);

function obstacleOf({ status }: Sandbox): Progress | undefined {
  const { reason, message = '' } = findCondition(status?.conditions, 'Configured') ?? {};
  if (reason === 'FilesMissing') return failed('files', message);
  return reason === 'RuntimeUnreachable' ? failed('install', `${message}; it is tried again`) : undefined;
}

const failed = (phase: ConfigureError['phase'], message: string): Progress => ({
  is: 'failed',
  error: { phase, message },
});

type AgentStatus = NonNullable<NonNullable<Sandbox['status']>['agentConfigure']>;

function resultOf(status: AgentStatus, isSame: boolean): ConfigureResult {
  const { lastConfiguredAt = '', installCommandHash = '', installExitCode = 0, entrypoint } = status;
  return {
    lastConfiguredAt,
    installCommandHash,
    installExitCode,
    skipped: status.state === 'Ready' && (isSame || status.skipped === true),
    ...(entrypoint ? { entrypoint } : {}),
  };
}
