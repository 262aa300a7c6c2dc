// SPDX-License-Identifier: Apache-2.0
import { parseDocument } from 'yaml';

export interface Twin {
  readonly kind: string;
  readonly plural?: string;
  readonly scope: 'Namespaced' | 'Cluster';
  readonly shortName: string;
  /** Fields of the spec that only the original has. */
  readonly without: readonly string[];
}

const NOTICE = '# Derived by crds/generate.ts from its twin in the other scope: edit that file.';

/** Text of the CRD that differs from `text` in scope and names only, so that one schema cannot become two. */
export function twinOf(text: string, twin: Twin): { plural: string; text: string } {
  const document = parseDocument(text);
  const plural = twin.plural ?? `${twin.kind.toLowerCase()}s`;
  document.setIn(['metadata', 'name'], `${plural}.agenttier.io`);
  document.setIn(['spec', 'scope'], twin.scope);
  const names = { kind: twin.kind, listKind: `${twin.kind}List`, plural, singular: twin.kind.toLowerCase() };
  for (const [key, value] of Object.entries(names)) document.setIn(['spec', 'names', key], value);
  document.setIn(['spec', 'names', 'shortNames', 0], twin.shortName);
  const spec = ['spec', 'versions', 0, 'schema', 'openAPIV3Schema', 'properties', 'spec', 'properties'];
  for (const field of twin.without) document.deleteIn([...spec, field]);
  // The first line is the licence.
  const lines = document.toString({ lineWidth: 0 }).split('\n');
  return { plural, text: lines.toSpliced(1, 0, NOTICE).join('\n') };
}
