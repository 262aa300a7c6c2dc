// SPDX-License-Identifier: Apache-2.0
import { CONDITION_TYPES, findCondition, type Condition } from '../meta/conditions.ts';

export type Phase = 'Creating' | 'Running' | 'Stopped' | 'Error' | 'Deleting';

export interface PhaseInput {
  readonly deleting: boolean;
  readonly desiredState: 'Running' | 'Stopped';
  readonly conditions: readonly Condition[];
  /** A pod of the sandbox exists, be it terminating. */
  readonly podExists: boolean;
  /** The pod that exists was ready once and has not failed since. */
  readonly started: boolean;
  /** Why the sandbox stays down although it should run: a time that ran out, or the end of its program. */
  readonly stopReason?: StopReason;
}

export type StopReason = 'IdleTimeout' | 'MaxRuntime' | 'Completed' | 'UserRequested';

export interface PhaseSummary {
  readonly phase: Phase;
  readonly reason: string;
  readonly message: string;
}

/** Reasons of a Ready condition that is False from which nothing but a retry by the user leads on. */
export const PERMANENT_REASONS: ReadonlySet<string> = new Set([
  'TemplateNotFound',
  'CycleDetected',
  'DepthExceeded',
  'ResolvedForged',
  'InvalidSpec',
  'InvalidImageName',
  'ErrImageNeverPull',
  'CreateContainerConfigError',
  'InitFailed',
  'VolumeConflict',
  'VolumeLost',
  'PodConflict',
  'StartDeadlineExceeded',
  'RestartLimitExceeded',
  'ApplicationError',
  'WarmPoolMiss',
]);

/** The one place where conditions become the word that people and clients see. */
export function derivePhase(input: PhaseInput): PhaseSummary {
  if (input.deleting)
    return { phase: 'Deleting', reason: 'Deleting', message: 'The sandbox is being removed.' };
  if (input.desiredState === 'Stopped' || input.stopReason !== undefined) return stopping(input);
  return running(input);
}

function running({ conditions, podExists, started }: PhaseInput): PhaseSummary {
  const ready = findCondition(conditions, CONDITION_TYPES.ready);
  if (ready === undefined) return { phase: 'Creating', reason: 'Pending', message: '' };
  const { status, reason, message } = ready;
  if (status === 'True') return { phase: 'Running', reason, message };
  if (status === 'False' && PERMANENT_REASONS.has(reason)) return { phase: 'Error', reason, message };
  // A probe that misses once does not put a sandbox in use back to its creation.
  return { phase: podExists && started ? 'Running' : 'Creating', reason, message };
}

/** Only a pod that is gone has stopped: until then the same volume could be written from two pods. */
function stopping({ podExists, stopReason = 'UserRequested' }: PhaseInput): PhaseSummary {
  if (podExists)
    return { phase: 'Running', reason: 'Stopping', message: `The sandbox is stopping: ${stopReason}.` };
  return { phase: 'Stopped', reason: stopReason, message: STOP_MESSAGES[stopReason] };
}

const STOP_MESSAGES: Readonly<Record<StopReason, string>> = {
  IdleTimeout: 'Stopped because it was not used for its idle timeout.',
  MaxRuntime: 'Stopped because it ran for its whole timeout.',
  Completed: 'Stopped because its program ended.',
  UserRequested: 'Stopped on request.',
};
