// SPDX-License-Identifier: Apache-2.0
import { equalJson } from '@agenttier/crds/meta/canonical';
import { ANNOTATION_ACTION, ANNOTATION_RETRY } from '@agenttier/crds/meta/labels';
import type { SpecifiedSandbox } from './specified.ts';

/**
 * Whether an update asks for another start, by any of the ways in which the operator understands it: the desired state, the
 * retry annotation, the older action annotation, or an edit of the spec after an Error. Anything else, such as a GitOps
 * controller that applies the same file again, is no start.
 */
export function asksForStart(sandbox: SpecifiedSandbox, old: SpecifiedSandbox): boolean {
  if (sandbox.spec.desiredState === 'Stopped') return false;
  if (old.spec.desiredState === 'Stopped') return true;
  const changed = (key: string): boolean => annotation(sandbox, key) !== annotation(old, key);
  if (changed(ANNOTATION_RETRY) && annotation(sandbox, ANNOTATION_RETRY) !== undefined) return true;
  if (changed(ANNOTATION_ACTION) && annotation(sandbox, ANNOTATION_ACTION) === 'resume') return true;
  return old.status?.phase === 'Error' && !equalJson(withoutResolved(sandbox), withoutResolved(old));
}

const annotation = ({ metadata }: SpecifiedSandbox, key: string): string | undefined =>
  metadata.annotations?.[key];

function withoutResolved({ spec }: SpecifiedSandbox): unknown {
  const { resolved: _, ...rest } = spec;
  return rest;
}
