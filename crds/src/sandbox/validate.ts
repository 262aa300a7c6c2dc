// SPDX-License-Identifier: Apache-2.0
import type { EffectiveSpec, Quantity, Resolved, Sandbox } from '../generated/types.ts';
import { equalJson } from '../meta/canonical.ts';
import { isDnsLabel } from '../meta/names.ts';
import { compareQuantity, parseQuantity } from '../meta/quantity.ts';
import type { Violation } from '../meta/violation.ts';
import { hashResolved } from '../template/merge.ts';
import { withoutMemory } from '../template/memory.ts';
import { unsupportedFields } from '../template/unsupported.ts';
import { effectiveViolations } from './effective.ts';
import { portViolations } from './ports.ts';
import { workloadViolations } from './workload.ts';

/** Fields of the spec that are fixed at creation; the CRD says the same in CEL, for when the webhook is away. */
const IMMUTABLE = [
  'mode',
  'templateRef.kind',
  'templateRef.name',
  'templateRef.namespace',
  'cloneFrom.sandbox',
  'cloneFrom.uid',
  'cloneFromSnapshot',
  'storage.storageClass',
  'storage.mountPath',
  'storage.shared',
] as const;

/** What is wrong with a sandbox in itself: its name, unsupported fields, values that the schema cannot judge. */
export function validateSandboxShape(sandbox: Sandbox): Violation[] {
  const spec = sandbox.spec ?? {};
  return [
    ...nameViolations(sandbox),
    ...unsupportedFields('Sandbox', spec),
    ...workloadViolations(spec),
    ...portViolations(spec),
  ];
}

/** What may not change between the stored sandbox and the one that is to replace it. */
export function validateSandboxUpdate(old: Sandbox, next: Sandbox): Violation[] {
  const before = old.spec ?? {};
  const after = next.spec ?? {};
  const changed = IMMUTABLE.filter((path) => !equalJson(valueAt(before, path), valueAt(after, path)));
  const violations = changed.map((path) =>
    immutable(`spec.${path}`, valueAt(before, path), valueAt(after, path)),
  );
  if (before.createdBy !== undefined && !equalJson(before.createdBy, after.createdBy)) {
    violations.push(immutable('spec.createdBy', before.createdBy.sub, after.createdBy?.sub));
  }
  return [...violations, ...shrinkViolations(old, next)];
}

/**
 * What is wrong with an effective spec: there is an image, and requests and limits fit together although they may come
 * from different layers. The hash must be that of the content.
 */
export function validateResolved(resolved: Resolved): Violation[] {
  const spec = resolved.spec ?? {};
  const violations = [...workloadViolations(withoutMemory(resolved)), ...effectiveViolations(spec)];
  if (isSealed(resolved)) return violations;
  const message = 'spec.resolved is written by admission only: leave it out';
  return [...violations, { code: 'resolved_forged', field: 'spec.resolved', message }];
}

/** Whether the content of `spec.resolved` is the one that its hash was made of. */
export function isSealed(resolved: Resolved): boolean {
  return resolved.hash === hashResolved(resolved);
}

function nameViolations(sandbox: Sandbox): Violation[] {
  const name = sandbox.metadata.name;
  // With generateName the name is still to come when mutating webhooks run.
  if (name === undefined || name === '' || isDnsLabel(name)) return [];
  const message =
    'metadata.name must be a DNS label: at most 63 lower-case letters, digits and hyphens, with a letter or digit at both ends';
  return [{ code: 'invalid_value', field: 'metadata.name', message, actual: name.slice(0, 80), limit: 63 }];
}

/**
 * A volume cannot shrink. Only what the sandbox asks for itself is refused: a template that was made smaller leaves the
 * volume as it is, and must not stand in the way of a resume. Compared with the effective size of before, which may be
 * a template's.
 */
function shrinkViolations(old: Sandbox, next: Sandbox): Violation[] {
  const asked = sizeIn(next.spec);
  const own = sizeIn(old.spec);
  const before = sizeIn(old.spec?.resolved?.spec) ?? own;
  if (asked === undefined || before === undefined) return [];
  if (equalJson(asked, own) || !isSmaller(asked, before)) return [];
  const field = 'spec.storage.size';
  const message = `${field} cannot shrink from ${before} to ${asked}: volumes only grow`;
  return [{ code: 'immutable_field', field, message, limit: String(before), actual: String(asked) }];
}

const sizeIn = (spec: EffectiveSpec | undefined): Quantity | undefined => spec?.storage?.size;

function isSmaller(size: Quantity, than: Quantity): boolean {
  const known = parseQuantity(size) !== undefined && parseQuantity(than) !== undefined;
  return known && compareQuantity(size, than) < 0;
}

function immutable(field: string, before: unknown, after: unknown): Violation {
  const message = `${field} is fixed at creation (${text(before)} to ${text(after)}): delete the sandbox and create it anew`;
  return { code: 'immutable_field', field, message, limit: text(before), actual: text(after) };
}

function text(value: unknown): string {
  if (value === undefined) return 'not set';
  return typeof value === 'string' ? value : JSON.stringify(value);
}

function valueAt(spec: object, path: string): unknown {
  let node: unknown = spec;
  for (const key of path.split('.')) node = (node as Readonly<Record<string, unknown>> | undefined)?.[key];
  return node;
}
