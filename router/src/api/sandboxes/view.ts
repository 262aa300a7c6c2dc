// SPDX-License-Identifier: Apache-2.0
import type { Sandbox } from '@agenttier/crds/generated/types';
import { stopWarningOf } from '@agenttier/crds/lifecycle/run';

/** A Sandbox as clients see it. Their models require the first four as strings. */
export interface SandboxView {
  readonly sandboxId: string;
  readonly name: string;
  readonly namespace: string;
  readonly status: string;
  readonly podName: string;
  readonly pvcName: string;
  readonly templateRef: string;
  readonly mode: string;
  readonly createdAt: string;
  readonly message: string;
  readonly reason?: string;
  readonly desiredState: string;
  readonly createdBy?: { readonly sub: string; readonly email: string; readonly displayName: string };
  readonly lastActivityAt?: string;
  /** Using it while it is stopped starts it. */
  readonly autoResume?: true;
  /** There while an automatic stop is near. */
  readonly stopWarning?: { readonly reason: string; readonly deadline: string; readonly message: string };
}

export type Phase = 'Creating' | 'Running' | 'Stopped' | 'Error' | 'Deleting';

/** The phase clients are told: an object on its way out is Deleting before the operator says so, a new one Creating. */
export function phaseOf(sandbox: Sandbox): Phase {
  if (sandbox.metadata.deletionTimestamp !== undefined) return 'Deleting';
  return sandbox.status?.phase ?? 'Creating';
}

export function wantsToRun(sandbox: Sandbox): boolean {
  return sandbox.spec?.desiredState !== 'Stopped';
}

export function sandboxView(sandbox: Sandbox): SandboxView {
  const { metadata, status = {} } = sandbox;
  return {
    sandboxId: text(metadata.name),
    name: text(metadata.name),
    namespace: text(metadata.namespace),
    status: phaseOf(sandbox),
    podName: text(status.podName),
    pvcName: text(status.pvcName),
    templateRef: templateName(sandbox),
    mode: modeOf(sandbox),
    createdAt: text(metadata.creationTimestamp),
    message: text(status.message),
    desiredState: wantsToRun(sandbox) ? 'Running' : 'Stopped',
    ...ownerOf(sandbox),
    ...(status.reason ? { reason: status.reason } : {}),
    ...(status.lastActivityTimestamp ? { lastActivityAt: status.lastActivityTimestamp } : {}),
    ...(sandbox.spec?.autoResume === true ? { autoResume: true } : {}),
    ...warningIn(sandbox),
  };
}

export function templateName(sandbox: Sandbox): string {
  return text(sandbox.status?.resolvedTemplate ?? sandbox.spec?.templateRef?.name);
}

const text = (value: string | undefined): string => value ?? '';

export const modeOf = (sandbox: Sandbox): string =>
  sandbox.spec?.resolved?.spec?.mode ?? sandbox.spec?.mode ?? 'code';

function warningIn(sandbox: Sandbox): Pick<SandboxView, 'stopWarning'> {
  const warning = stopWarningOf(sandbox);
  if (warning === undefined) return {};
  const { reason, at, message } = warning;
  return { stopWarning: { reason, deadline: new Date(at).toISOString(), message } };
}

function ownerOf(sandbox: Sandbox): Pick<SandboxView, 'createdBy'> {
  const owner = sandbox.spec?.createdBy;
  if (!owner) return {};
  return { createdBy: { sub: owner.sub, email: text(owner.email), displayName: text(owner.displayName) } };
}
