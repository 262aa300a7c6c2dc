// SPDX-License-Identifier: Apache-2.0
import type { SandboxSpec } from '@agenttier/crds/generated/types';
import type { SpecifiedSandbox } from './specified.ts';
import { ANNOTATION_ADMITTED_AT, ANNOTATION_TRACEPARENT, FINALIZER } from '@agenttier/crds/meta/labels';
import { parseTraceparent } from '@agenttier/machinery/telemetry/tracing';
import type { Principal } from '../identity.ts';
import { stampConfig } from './configure.ts';
import type { Resolution } from './resolution.ts';
import { asksForStart } from './resume.ts';

/**
 * How far back a present admitted-at may lie to be ours: the API server calls us a second time for one create when
 * another webhook changed the object (reinvocationPolicy), and the second answer should equal the first.
 */
const REINVOCATION_WINDOW_MS = 10_000;

export interface StampInput {
  readonly old: SpecifiedSandbox | undefined;
  readonly principal: Principal;
  /** Milliseconds since the epoch. */
  readonly now: number;
  /** Where this admission stands in a trace (W3C), if anybody keeps traces. */
  readonly current?: string | undefined;
  /** Absent when `spec.resolved` is to stay as it is. */
  readonly resolution: Resolution | undefined;
  /** Identity of the sandbox that a new one is to be a copy of. */
  readonly sourceUid?: string | undefined;
}

type TemplateRef = NonNullable<SandboxSpec['templateRef']>;

/** What an update leaves out of the reference comes back, as long as it still names the same template. */
function restoreRef(ref: TemplateRef | undefined, old: TemplateRef | undefined): TemplateRef | undefined {
  if (ref === undefined || old === undefined || ref.name !== old.name) {
    return ref;
  }
  return ref.kind || old.kind === undefined ? ref : { ...ref, kind: old.kind };
}

type CloneFrom = SandboxSpec['cloneFrom'];

/** The identity of what is copied is for us to write; an update that leaves it out means no change. */
function restoreClone(from: CloneFrom, old: CloneFrom): CloneFrom {
  if (from === undefined || from.uid !== undefined || from.sandbox !== old?.sandbox) return from;
  return old.uid === undefined ? from : { ...from, uid: old.uid };
}

function withoutUid(from: CloneFrom): CloneFrom {
  if (typeof from !== 'object' || from === null) return from;
  const { uid: _sent, ...rest } = from;
  return rest;
}

const clonedFrom = (from: CloneFrom, uid: string | undefined): Pick<SandboxSpec, 'cloneFrom'> =>
  from === undefined || uid === undefined ? {} : { cloneFrom: { ...from, uid } };

function defined<T extends object>(object: T): T {
  return Object.fromEntries(Object.entries(object).filter(([, value]) => value !== undefined)) as T;
}

/**
 * First half: brings an incoming sandbox into the form that is compared and resolved. On create, fields that only the
 * webhook writes are taken away. On update, such fields and defaults that the sender left out come back, because
 * `kubectl replace` with the original file means no change to them; if they were *changed* they stay for validation
 * to refuse.
 */
export function prepareSandbox(
  sandbox: SpecifiedSandbox,
  old: SpecifiedSandbox | undefined,
  defaultTemplate?: TemplateRef,
): SpecifiedSandbox {
  const { resolved, createdBy, desiredState, templateRef, ...rest } = sandbox.spec;
  if (old === undefined) {
    const spec = {
      ...rest,
      templateRef: templateRef ?? defaultTemplate,
      desiredState: desiredState ?? 'Running',
      cloneFrom: withoutUid(rest.cloneFrom),
    };
    return { ...sandbox, spec: defined(spec) as SandboxSpec };
  }
  const spec = {
    ...rest,
    templateRef: restoreRef(templateRef, old.spec.templateRef),
    desiredState: desiredState ?? old.spec.desiredState ?? 'Running',
    cloneFrom: restoreClone(rest.cloneFrom, old.spec.cloneFrom),
    createdBy: createdBy ?? old.spec.createdBy,
    resolved: resolved ?? old.spec.resolved,
  };
  return { ...sandbox, spec: defined(spec) as SandboxSpec };
}

function owner(principal: Principal): NonNullable<SandboxSpec['createdBy']> {
  return principal.email === undefined
    ? { sub: principal.sub }
    : { sub: principal.sub, email: principal.email };
}

function admittedAt(sandbox: SpecifiedSandbox, { old, now }: StampInput): string | undefined {
  const before = old?.metadata.annotations?.[ANNOTATION_ADMITTED_AT];
  if (old !== undefined && !asksForStart(sandbox, old)) return before;
  const present = sandbox.metadata.annotations?.[ANNOTATION_ADMITTED_AT];
  const age = now - Number(present);
  return present !== before && age >= 0 && age < REINVOCATION_WINDOW_MS ? present : String(now);
}

/**
 * The trace that a start belongs to: what the request brought, or the span of its admission. Nobody but a request for a
 * start changes it, and one that leaves it out, as a GitOps controller's does, gets it back.
 */
function traceparent(sandbox: SpecifiedSandbox, { old, current }: StampInput): string | undefined {
  const before = old?.metadata.annotations?.[ANNOTATION_TRACEPARENT];
  if (old !== undefined && !asksForStart(sandbox, old)) return before;
  const present = sandbox.metadata.annotations?.[ANNOTATION_TRACEPARENT];
  const brought = present !== before && parseTraceparent(present) !== undefined;
  return brought ? present : current;
}

function stampMetadata(sandbox: SpecifiedSandbox, input: StampInput): SpecifiedSandbox['metadata'] {
  const { metadata } = sandbox;
  const {
    [ANNOTATION_ADMITTED_AT]: _at,
    [ANNOTATION_TRACEPARENT]: _trace,
    ...others
  } = metadata.annotations ?? {};
  const stamps = {
    [ANNOTATION_ADMITTED_AT]: admittedAt(sandbox, input),
    [ANNOTATION_TRACEPARENT]: traceparent(sandbox, input),
  };
  const annotations = defined({ ...others, ...stamps }) as Record<string, string>;
  // The schema, which is checked later, has the better words for anything that is no list.
  const finalizers = Array.isArray(metadata.finalizers) ? metadata.finalizers : [];
  return {
    ...metadata,
    ...(metadata.annotations || Object.keys(annotations).length > 0 ? { annotations } : {}),
    finalizers: finalizers.includes(FINALIZER) ? finalizers : [...finalizers, FINALIZER],
  };
}

function stampSpec(prepared: SpecifiedSandbox, input: StampInput): SandboxSpec {
  const { resolution, old, principal } = input;
  const { templateRef } = prepared.spec;
  const kind = resolution?.ok && !templateRef?.kind ? resolution.templateKind : undefined;
  return {
    ...prepared.spec,
    ...(templateRef && kind
      ? { templateRef: { ...templateRef, kind: kind as TemplateRef['kind'] & string } }
      : {}),
    ...clonedFrom(prepared.spec.cloneFrom, input.sourceUid),
    ...(old === undefined ? { createdBy: owner(principal) } : {}),
    ...stampConfig(prepared, old, principal),
    ...(resolution?.ok ? { resolved: resolution.resolved } : {}),
  };
}

/** Second half: writes what belongs to the webhook. Applying it to its own result changes nothing. */
export function stampSandbox(prepared: SpecifiedSandbox, input: StampInput): SpecifiedSandbox {
  return {
    ...prepared,
    metadata: stampMetadata(prepared, input),
    spec: stampSpec(prepared, input),
  };
}
