// SPDX-License-Identifier: Apache-2.0
import type { AgentConfig } from '@agenttier/crds/sandbox/agentConfig';
import type { AgentSettings } from './wish.ts';

/** Everything that the runtime of one pod is to be told at once. */
export interface AgentTask {
  readonly podName: string;
  readonly podUid: string;
  readonly configHash: string;
  readonly settings: AgentSettings;
  readonly install?: InstallTask;
}

export interface InstallTask {
  readonly id: string;
  readonly command: readonly string[];
  readonly workingDir: string;
  readonly env: Readonly<Record<string, string>>;
  readonly files: NonNullable<AgentConfig['files']>;
}

/** An installation as the runtime tells it. */
export interface InstallState {
  readonly id?: string;
  readonly state: 'none' | 'running' | 'done';
  readonly exitCode: number;
  readonly reason?: string;
  readonly log: string;
  readonly bytesTotal: number;
  readonly logTruncated: boolean;
}

export interface AgentFault {
  readonly reason: 'FilesMissing' | 'RuntimeUnreachable';
  readonly message: string;
  /** Milliseconds of the epoch before which it is not tried again. */
  readonly retryAt: number;
}

/** What came of a task so far. */
export interface AgentNews {
  readonly podUid: string;
  readonly configHash: string;
  readonly installId?: string | undefined;
  readonly install?: InstallState;
  readonly fault?: AgentFault;
}
