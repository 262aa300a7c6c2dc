// SPDX-License-Identifier: Apache-2.0
import { unknownFieldIn } from '@agenttier/crds/explain/unknownField';
import { isKubeError } from '@agenttier/machinery/kube/errors';
import { type SourceDocument, sourceOf } from '../client/documents.ts';
import { CommandError, messageOf, type Refusal, refusalsOf, refusalText } from '../context/failure.ts';
import { qualifiedName } from '../printers/output.ts';

/** The verdict on one object. */
export interface Verdict extends SourceDocument {
  readonly allowed: boolean;
  /** `input`: templates or policies of the same input took part, so admission's rules were applied here. */
  readonly judgedBy: 'cluster' | 'input';
  /** How an `input` verdict came about, for people. */
  readonly note?: string;
  readonly violations: readonly Refusal[];
  readonly warnings: readonly string[];
}

export function allowed(document: SourceDocument, warnings: readonly string[]): Verdict {
  return { ...document, allowed: true, judgedBy: 'cluster', violations: [], warnings };
}

/** The verdict in a refused write. Anything that says nothing about the object (no access, no network) is thrown on. */
export function refused(document: SourceDocument, error: unknown, warnings: readonly string[]): Verdict {
  const violations = violationsOf(error);
  if (violations === undefined) throw error;
  return { ...document, allowed: false, judgedBy: 'cluster', violations, warnings };
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

function unknownField(message: string): Refusal | undefined {
  const field = unknownFieldIn(message);
  return field === undefined
    ? undefined
    : { code: 'unknown_field', field, message: 'the schema has no such field' };
}

/** The verdict as programs read it: these names are stable. */
export function verdictJson({ object, ...verdict }: Verdict): Record<string, unknown> {
  const { file, index, line, ...rest } = verdict;
  const { namespace, name = object.metadata.generateName ?? '' } = object.metadata;
  const { apiVersion, kind } = object;
  return {
    file,
    index,
    line,
    apiVersion,
    kind,
    name,
    ...(namespace === undefined ? {} : { namespace }),
    ...rest,
  };
}

/** Lines for people: the verdict, then every violation and warning on a line of its own. */
export function verdictLines(verdict: Verdict): string {
  const { namespace } = verdict.object.metadata;
  const where = namespace === undefined ? '' : ` in ${namespace}`;
  const head = `${qualifiedName(verdict.object)}${where}: ${verdict.allowed ? 'allowed' : 'refused'} (${sourceOf(verdict)})`;
  const details = [
    ...verdict.violations.map(refusalText),
    ...verdict.warnings.map((warning) => `warning: ${warning}`),
    ...(verdict.note ? [`note: ${verdict.note}`] : []),
  ];
  return [head, ...details.map((line) => `  ${line}`)].map((line) => `${line}\n`).join('');
}
