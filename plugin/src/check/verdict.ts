// SPDX-License-Identifier: Apache-2.0
import { isKubeError } from '@agenttier/machinery/kube/errors';
import type { KubeObject } from '@agenttier/machinery/kube/resource';
import type { SourceDocument } from '../client/documents.ts';
import { CommandError, messageOf, type Refusal, refusalsOf, refusalText } from '../context/failure.ts';
import { qualifiedName } from '../printers/output.ts';

/** The cluster's answer for one object; the JSON form of `check` has exactly these names. */
export interface Verdict {
  readonly source: string;
  readonly object: string;
  readonly namespace?: string;
  readonly allowed: boolean;
  readonly violations: readonly Refusal[];
  readonly warnings: readonly string[];
}

export function allowed(document: SourceDocument, warnings: readonly string[]): Verdict {
  return { ...subject(document), allowed: true, violations: [], warnings };
}

/** The verdict in a refused write. Anything that says nothing about the object (no access, no network) is thrown on. */
export function refused(document: SourceDocument, error: unknown, warnings: readonly string[]): Verdict {
  const violations = violationsOf(error);
  if (violations === undefined) throw error;
  return { ...subject(document), allowed: false, violations, warnings };
}

/** 403 stands for policy and for a missing right alike: both keep this object out. */
const REFUSALS = new Set([400, 403, 404, 409, 413, 422]);

function violationsOf(error: unknown): readonly Refusal[] | undefined {
  if (error instanceof CommandError) return [{ message: error.message }];
  if (!isKubeError(error)) return undefined;
  const unknown = unknownField(error.message);
  if (unknown) return [unknown];
  if (!REFUSALS.has(error.status)) return undefined;
  const told = refusalsOf(error);
  return told.length > 0 ? told : [{ message: messageOf(error) }];
}

/** Apply answers a field that the schema does not know with 500 and a sentence of its merge library, not with 422. */
function unknownField(message: string): Refusal | undefined {
  const field = /failed to create typed patch object .*: \.(\S+): field not declared in schema/.exec(
    message,
  )?.[1];
  return field === undefined
    ? undefined
    : { code: 'unknown_field', field, message: 'the schema has no such field' };
}

function subject({ source, object }: SourceDocument): Pick<Verdict, 'source' | 'object' | 'namespace'> {
  const { namespace } = object.metadata;
  return { source, object: qualifiedName(object), ...(namespace === undefined ? {} : { namespace }) };
}

/** Objects that other documents of the same input wait for: a dry run stores nothing, so the cluster cannot know them. */
export function hint(verdict: Verdict, documents: readonly SourceDocument[]): string | undefined {
  if (!verdict.violations.some((violation) => violation.code === 'template_not_found')) return undefined;
  const templates = documents.map((document) => document.object).filter(isTemplate);
  const text = verdict.violations.map((violation) => violation.message).join('\n');
  const named = templates
    .filter((template) => text.includes(template.metadata.name ?? '\0'))
    .map(qualifiedName);
  return named.length === 0
    ? undefined
    : `${named.join(', ')} is in the same input: apply it first, a check stores nothing that others could refer to`;
}

const isTemplate = (object: KubeObject): boolean => /^(Cluster)?SandboxTemplate$/.test(object.kind ?? '');

/** Lines for people: the verdict, then every violation and warning on a line of its own. */
export function verdictLines(verdict: Verdict, note: string | undefined): string {
  const where = verdict.namespace === undefined ? '' : ` in ${verdict.namespace}`;
  const head = `${verdict.object}${where}: ${verdict.allowed ? 'allowed' : 'refused'} (${verdict.source})`;
  const details = [
    ...verdict.violations.map(refusalText),
    ...verdict.warnings.map((warning) => `warning: ${warning}`),
    ...(note === undefined ? [] : [`hint: ${note}`]),
  ];
  return [head, ...details.map((line) => `  ${line}`)].map((line) => `${line}\n`).join('');
}
