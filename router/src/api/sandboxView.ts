// SPDX-License-Identifier: Apache-2.0
import type { Sandbox } from '@agenttier/crds/generated/types';

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
}

export type Phase = 'Creating' | 'Running' | 'Stopped' | 'Error' | 'Deleting';

/** The phase clients are told: an object on its way out is Deleting before the operator says so, a new one Creating. */
export function phaseOf(sandbox: Sandbox): Phase {
  if (sandbox.metadata.deletionTimestamp !== undefined) return 'Deleting';
  return (sandbox.status?.phase as Phase | undefined) ?? 'Creating';
}

export function wantsToRun(sandbox: Sandbox): boolean {
  return sandbox.spec?.desiredState !== 'Stopped';
}

export function sandboxView(sandbox: Sandbox): SandboxView {
  const { metadata, spec, status } = sandbox;
  const name = metadata.name ?? '';
  const owner = spec?.createdBy;
  const reason = status?.reason;
  const lastActivityAt = status?.lastActivityTimestamp;
  return {
    sandboxId: name,
    name,
    namespace: metadata.namespace ?? '',
    status: phaseOf(sandbox),
    podName: status?.podName ?? '',
    pvcName: status?.pvcName ?? '',
    templateRef: templateName(sandbox),
    mode: modeOf(sandbox),
    createdAt: metadata.creationTimestamp ?? '',
    message: status?.message ?? '',
    ...(reason ? { reason } : {}),
    desiredState: wantsToRun(sandbox) ? 'Running' : 'Stopped',
    ...(owner ? { createdBy: ownerView(owner) } : {}),
    ...(lastActivityAt ? { lastActivityAt } : {}),
  };
}

export function templateName(sandbox: Sandbox): string {
  return sandbox.status?.resolvedTemplate ?? sandbox.spec?.templateRef?.name ?? '';
}

const modeOf = (sandbox: Sandbox): string => sandbox.spec?.resolved?.spec?.mode ?? sandbox.spec?.mode ?? 'code';

function ownerView(owner: NonNullable<NonNullable<Sandbox['spec']>['createdBy']>): {
  sub: string;
  email: string;
  displayName: string;
} {
  return { sub: owner.sub, email: owner.email ?? '', displayName: owner.displayName ?? '' };
}
