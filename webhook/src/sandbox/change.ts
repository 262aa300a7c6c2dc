// SPDX-License-Identifier: Apache-2.0
import type { SandboxSpec } from '@agenttier/crds/generated/types';
import type { SpecifiedSandbox } from './specified.ts';
import { equalJson } from '@agenttier/crds/meta/canonical';
import { ANNOTATION_ACTION, ANNOTATION_RETRY } from '@agenttier/crds/meta/labels';

/**
 * Why `spec.resolved` has to be worked out again.
 * - `create`: there is none yet;
 * - `edit`: the person changed a field that goes into it;
 * - `resume`: the sandbox starts anew, and templates may have changed meanwhile.
 */
export type ResolveReason = 'create' | 'edit' | 'resume';

/** The fields that people set and that go into the resolved spec. */
function userFields(spec: SandboxSpec): Partial<SandboxSpec> {
  const { resolved: _, createdBy: _by, desiredState: _state, sharing: _sharing, ...rest } = spec;
  return rest;
}

export function sameJson(a: unknown, b: unknown): boolean {
  return equalJson(a ?? null, b ?? null);
}

function retryOf({ metadata }: SpecifiedSandbox): string {
  return metadata.annotations?.[ANNOTATION_RETRY] ?? '';
}

function saysResume({ metadata }: SpecifiedSandbox): boolean {
  return metadata.annotations?.[ANNOTATION_ACTION] === 'resume';
}

function isResumed(sandbox: SpecifiedSandbox, old: SpecifiedSandbox): boolean {
  if (sandbox.spec.desiredState === 'Stopped') {
    return false;
  }
  // From Error, or after an automatic stop, desiredState is Running already: another value of the annotation is how one
  // asks again. Taking it away is another value too.
  const asked = retryOf(sandbox) !== retryOf(old) || (saysResume(sandbox) && !saysResume(old));
  return asked || old.spec.desiredState === 'Stopped';
}

/**
 * Undefined means: leave `spec.resolved` as it is, also on an object on its way out. An edit and a resume in one request
 * count as a resume.
 */
export function resolveReason(
  sandbox: SpecifiedSandbox,
  old: SpecifiedSandbox | undefined,
): ResolveReason | undefined {
  if (old === undefined) {
    return 'create';
  }
  if (sandbox.metadata.deletionTimestamp) {
    return undefined;
  }
  if (isResumed(sandbox, old)) {
    return 'resume';
  }
  return userFieldsChanged(sandbox, old) ? 'edit' : undefined;
}

/** False while only `resolved`, `createdBy`, `desiredState` or `sharing` differ: who may use it is no part of what runs. */
export function userFieldsChanged(sandbox: SpecifiedSandbox, old: SpecifiedSandbox): boolean {
  return !sameJson(userFields(sandbox.spec), userFields(old.spec));
}

export function specChanged(sandbox: SpecifiedSandbox, old: SpecifiedSandbox): boolean {
  return !sameJson(sandbox.spec, old.spec);
}

/** What people may edit in metadata. */
function editableMetadata({ metadata }: SpecifiedSandbox): unknown {
  const { labels = {}, annotations = {}, finalizers = [], ownerReferences = [] } = metadata;
  return { labels, annotations, finalizers, ownerReferences };
}

export function metadataChanged(sandbox: SpecifiedSandbox, old: SpecifiedSandbox): boolean {
  return !sameJson(editableMetadata(sandbox), editableMetadata(old));
}
