// SPDX-License-Identifier: Apache-2.0
import type { Explanation, SandboxChange } from '../../data/sandboxes.ts';

/** What the form holds: text, as typed; empty = as it is. */
export interface Limits {
  readonly timeout: string;
  readonly idleTimeout: string;
  readonly gracePeriod: string;
  readonly cpu: string;
  readonly memory: string;
  readonly autoResume: boolean;
  /** Times that the sandbox is not to set itself any more. */
  readonly unset: ReadonlySet<string>;
}

export const TIMES = ['timeout', 'idleTimeout', 'gracePeriod'] as const;
export type LimitField = (typeof TIMES)[number] | 'cpu' | 'memory';

export const isTime = (field: LimitField): field is (typeof TIMES)[number] =>
  (TIMES as readonly string[]).includes(field);

/** The field of the spec that each is about. */
export const PATHS: Readonly<Record<LimitField, string>> = {
  timeout: 'timeout',
  idleTimeout: 'idleTimeout',
  gracePeriod: 'gracePeriod',
  cpu: 'resources.limits.cpu',
  memory: 'resources.limits.memory',
};

type Fields = Explanation['fields'];

/** What is to be changed; undefined = nothing. Resources are replaced whole, so all that the sandbox itself sets is in it. */
export function changeOf(limits: Limits, before: boolean, fields: Fields): SandboxChange | undefined {
  const { cpu, memory, autoResume, unset } = limits;
  const times = TIMES.flatMap((field): [string, string | null][] => {
    if (unset.has(field)) return [[field, null]];
    return differs(field, limits[field], fields) ? [[field, limits[field]]] : [];
  });
  const change: SandboxChange = {
    ...Object.fromEntries(times),
    ...(autoResume === before ? {} : { autoResume }),
    ...(differs('cpu', cpu, fields) || differs('memory', memory, fields)
      ? { resources: resourcesOf(fields, { ...(cpu && { cpu }), ...(memory && { memory }) }) }
      : {}),
  };
  return Object.keys(change).length === 0 ? undefined : change;
}

function differs(field: LimitField, text: string, fields: Fields): boolean {
  const now = fields.find((one) => one.field === PATHS[field])?.value;
  return text !== '' && text !== String(now);
}

function resourcesOf(fields: Fields, limits: Readonly<Record<string, string>>): Record<string, unknown> {
  const out: { limits: object; requests?: object; claims?: unknown[] } = { limits: {} };
  for (const { field, value, origin } of fields) {
    if (origin !== 'Sandbox') continue;
    const [, part, dotted, bracketed] =
      /^resources\.(limits|requests|claims)(?:\.(.+)|\[(.+)\])$/.exec(field) ?? [];
    if (part === 'claims') out.claims = [...(out.claims ?? []), value];
    else if (part === 'limits' || part === 'requests')
      out[part] = { ...out[part], [dotted ?? bracketed ?? '']: value };
  }
  return { ...out, limits: { ...out.limits, ...limits } };
}
