// SPDX-License-Identifier: Apache-2.0
import type { Phase, Sandbox } from '../../data/sandboxes.ts';

/** What of the sandboxes is shown, and in which order. */
export interface Selection {
  readonly text: string;
  readonly phase: Phase | '';
  readonly namespace: string;
}

const wordsOf = ({ name, namespace, templateRef, createdBy }: Sandbox): string =>
  [name, namespace, templateRef, createdBy?.displayName, createdBy?.email, createdBy?.sub]
    .join(' ')
    .toLowerCase();

/** The sandboxes that fit, newest first; every word of the text must be somewhere in one. */
export function select(
  sandboxes: readonly Sandbox[],
  { text, phase, namespace }: Selection,
): readonly Sandbox[] {
  const words = text.toLowerCase().split(/\s+/).filter(Boolean);
  return sandboxes
    .filter((sandbox) => phase === '' || sandbox.status === phase)
    .filter((sandbox) => namespace === '' || sandbox.namespace === namespace)
    .filter((sandbox) => words.every((word) => wordsOf(sandbox).includes(word)))
    .toSorted((a, b) => b.createdAt.localeCompare(a.createdAt) || a.name.localeCompare(b.name));
}
