// SPDX-License-Identifier: Apache-2.0
import type { Sandbox } from '@agenttier/crds/generated/types';
import { API_VERSION } from '@agenttier/crds/meta/labels';
import { SANDBOXES } from '@agenttier/crds/meta/resources';
import type { Audit, AuditEntry } from '@agenttier/machinery/telemetry/audit';
import type { Principal } from './auth/principal.ts';

/** What people do in a sandbox that admission does not see, or that needs more words. */
export const SANDBOX_ACTIONS = [
  'ExecRun',
  'FilesRead',
  'FilesWritten',
  'TerminalOpened',
  'TerminalClosed',
  'PortForwarded',
  'PortUnforwarded',
  'PreviewOpened',
  'SandboxCopied',
  'BackupRequested',
  'BackupDeleted',
  'ShareGranted',
  'ShareRevoked',
  'ShareLinkCreated',
  'ShareLinkRedeemed',
  'ShareLinkRevoked',
  'AgentConfigureStarted',
  'ConfigureDenied',
  'AgentInvokeStarted',
  'AgentInvokeCompleted',
  'AgentInvokeFailed',
  'AgentInvokeCancelled',
] as const;

export type SandboxAction = (typeof SANDBOX_ACTIONS)[number];

/** One of them. */
export interface SandboxAct {
  readonly action: SandboxAction;
  /** Of the Event; default Normal. */
  readonly type?: 'Normal' | 'Warning';
  readonly principal: Pick<Principal, 'sub' | 'email'>;
  readonly outcome?: AuditEntry['outcome'] | undefined;
  readonly reason?: string | undefined;
  /** For people. Never a command or what was typed: either may hold a secret. */
  readonly note: string;
  readonly sourceIp?: string | undefined;
}

export type SandboxAudit = (sandbox: Sandbox, act: SandboxAct) => void;

/** Audits acts on a sandbox, with an Event on it. */
export function sandboxAudit(audit: Audit): SandboxAudit {
  return (sandbox, { principal, note, action, outcome = 'allowed', reason, sourceIp, type = 'Normal' }) => {
    const { namespace, name, uid } = sandbox.metadata;
    const regarding = { ...sandbox, apiVersion: API_VERSION, kind: SANDBOXES.kind };
    const actor = { sub: principal.sub, email: principal.email || undefined };
    const about = { resource: SANDBOXES.kind, namespace, name, uid };
    audit({ ...about, actor, action, outcome, reason, sourceIp }, { regarding, type, note });
  };
}

/** Audits nothing. */
export const noAudit: SandboxAudit = () => {};
