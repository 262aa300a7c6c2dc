// SPDX-License-Identifier: Apache-2.0
import type { AuditFilter } from '../../data/audit.ts';

const NAMES = ['sandbox', 'namespace', 'user', 'type'] as const;
const MOMENTS = ['from', 'to'] as const;

/** What a form asks for; empty fields ask for nothing. Its times are the person's own, the server's are UTC. */
export function filterOf(field: (name: string) => string): AuditFilter {
  const words = NAMES.map((name) => [name, field(name)] as const);
  const moments = MOMENTS.map((name) => [name, momentOf(field(name))] as const);
  return Object.fromEntries([...words, ...moments].filter(([, value]) => value !== ''));
}

function momentOf(local: string): string {
  const at = Date.parse(local);
  return Number.isNaN(at) ? '' : new Date(at).toISOString();
}
