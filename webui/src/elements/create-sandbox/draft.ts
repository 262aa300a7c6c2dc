// SPDX-License-Identifier: Apache-2.0
import type { Violation } from '@agenttier/client';
import type { NewSandbox } from '../../data/sandboxes.ts';

/** What the form holds: text, as typed; empty = as the template says. */
export interface Draft {
  readonly name: string;
  readonly namespace: string;
  readonly template: string;
  readonly cpu: string;
  readonly memory: string;
  readonly storage: string;
  readonly idleTimeout: string;
  readonly internet: boolean;
}

export type DraftField = keyof Draft;

export const EMPTY_DRAFT: Draft = {
  name: '',
  namespace: '',
  template: '',
  cpu: '',
  memory: '',
  storage: '',
  idleTimeout: '',
  internet: false,
};

/** The sandbox that a draft asks for; what is left empty is not said, so that the template says it. */
export function sandboxOf(draft: Draft): NewSandbox {
  const limits = {
    ...(draft.cpu ? { cpu: draft.cpu } : {}),
    ...(draft.memory ? { memory: draft.memory } : {}),
  };
  return {
    name: draft.name,
    templateRef: { name: draft.template },
    ...(draft.namespace ? { namespace: draft.namespace } : {}),
    ...(Object.keys(limits).length > 0 ? { resources: { limits } } : {}),
    ...(draft.storage ? { storage: { size: draft.storage } } : {}),
    ...(draft.idleTimeout ? { idleTimeout: draft.idleTimeout } : {}),
    ...(draft.internet ? { network: { allowInternet: true } } : {}),
  };
}

/** Where in the form a field of the object is, by the beginning of its path. */
const PLACES: readonly (readonly [path: string, field: DraftField])[] = [
  ['metadata.namespace', 'namespace'],
  ['namespace', 'namespace'],
  ['metadata.name', 'name'],
  ['name', 'name'],
  ['spec.templateRef', 'template'],
  ['templateRef', 'template'],
  ['spec.resources.limits.cpu', 'cpu'],
  ['spec.resources.limits.memory', 'memory'],
  ['spec.storage', 'storage'],
  ['spec.idleTimeout', 'idleTimeout'],
  ['idleTimeout', 'idleTimeout'],
  ['spec.network', 'internet'],
];

/** The violations sorted to the fields of the form; those that belong to none of them are under `''`. */
export function placed(violations: readonly Violation[]): ReadonlyMap<DraftField | '', readonly string[]> {
  const found = new Map<DraftField | '', string[]>();
  for (const { field, message } of violations) {
    const place = PLACES.find(([path]) => field === path || field.startsWith(`${path}.`))?.[1] ?? '';
    const text = place === '' && field !== '' ? `${field}: ${message}` : message;
    found.set(place, [...(found.get(place) ?? []), text]);
  }
  return found;
}
