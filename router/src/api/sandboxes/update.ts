// SPDX-License-Identifier: Apache-2.0
import type { Sandbox } from '@agenttier/crds/generated/types';
import { parseDuration } from '@agenttier/crds/meta/duration';
import { SANDBOXES } from '@agenttier/crds/meta/resources';
import type { KubeClient } from '@agenttier/machinery/kube/client';
import type { KubeObject } from '@agenttier/machinery/kube/resource';
import type { Stores } from '../../cluster/caches.ts';
import type { PodResize } from '../../cluster/podResize.ts';
import { refusals } from '../errors.ts';
import type { Call, Reply } from '../route.ts';
import { isDryRun, withWarnings, writeAs } from '../write.ts';
import { reservedKeys } from './body.ts';
import type { FieldProblem } from './body.ts';
import { phaseOf } from './view.ts';

type TextMap = Readonly<Record<string, string | null>>;

/** What of a sandbox can be changed; whatever is left out stays as it is. */
export interface Update {
  /** null takes it away: what the template and the policy say holds then. */
  readonly timeout?: string | null;
  readonly idleTimeout?: string | null;
  readonly gracePeriod?: string | null;
  readonly autoResume?: boolean;
  readonly resources?: object;
  readonly env?: readonly unknown[];
  readonly labels?: TextMap;
  readonly annotations?: TextMap;
}

export type Applied = 'immediately' | 'on-restart';

export interface UpdateOptions {
  readonly client: Pick<KubeClient, 'patch'>;
  readonly stores: Pick<Stores, 'sandboxes'>;
  readonly podResize: Pick<PodResize, 'available'>;
}

const DURATIONS = ['timeout', 'idleTimeout', 'gracePeriod'] as const;
const SPEC_FIELDS = [...DURATIONS, 'autoResume', 'env'] as const;
const FIELDS = [...SPEC_FIELDS, 'resources', 'labels', 'annotations'] as const;

/**
 * Changes a sandbox in place. The uid keeps the change from a sandbox that was made anew under this name; of two changes of
 * one field the later wins, and changes of different fields do not meet.
 */
export async function updateSandbox(
  { client, stores, podResize }: UpdateOptions,
  call: Call<Update>,
  sandbox: Sandbox,
): Promise<Reply> {
  const update = call.body;
  const problems = problemsOf(update);
  if (problems.length > 0) throw refusals.invalidFields(problems);
  const { namespace, name = '', uid } = sandbox.metadata;
  const { metadata, spec } = patchOf(update, sandbox);
  const warnings: string[] = [];
  const patched = await client.patch<Sandbox & KubeObject>(
    SANDBOXES,
    { namespace, name },
    { type: 'merge', body: { metadata: { ...metadata, uid }, spec } },
    writeAs(call, warnings),
  );
  if (!isDryRun(call)) stores.sandboxes.applyLocal(patched);
  const applied = appliedOf(update, await podResize.available());
  return { status: 200, body: { sandboxId: name, ...told(applied, sandbox), ...withWarnings(warnings) } };
}

function problemsOf(update: Update): FieldProblem[] {
  const given = FIELDS.filter((field) => update[field] !== undefined);
  if (given.length === 0) return [{ field: '', message: `must have one of ${FIELDS.join(', ')}` }];
  const durations = DURATIONS.filter((field) => {
    const wanted = update[field];
    return typeof wanted === 'string' && parseDuration(wanted) === undefined;
  });
  return [
    ...durations.map((field) => ({
      field,
      message: 'must be a duration such as "30m", "1h30m" or "500ms"',
    })),
    ...reservedKeys('labels', update.labels ?? {}),
    ...reservedKeys('annotations', update.annotations ?? {}),
  ];
}

/** Maps are merged, with null for what is to go; resources and environment are replaced as a whole. */
function patchOf(update: Update, { spec }: Sandbox): { metadata: object; spec: object } {
  const { labels, annotations, resources } = update;
  const plain = SPEC_FIELDS.filter((field) => update[field] !== undefined);
  return {
    metadata: { ...(labels && { labels }), ...(annotations && { annotations }) },
    spec: {
      ...Object.fromEntries(plain.map((field) => [field, update[field]])),
      ...(resources && { resources: replacing(resources, spec?.resources) }),
    },
  };
}

/** A merge patch keeps what it does not name, so what has to go is named with null, at every depth. */
function replacing(wanted: unknown, current: unknown): unknown {
  if (!isFields(wanted) || !isFields(current)) return wanted;
  const gone = Object.keys(current).filter((key) => wanted[key] === undefined);
  return Object.fromEntries([
    ...Object.entries(wanted).map(([key, value]) => [key, replacing(value, current[key])]),
    ...gone.map((key) => [key, null]),
  ]);
}

const isFields = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** Timeouts, labels and waking are the operator's to heed; what is inside the pod needs another pod, but for CPU and memory. */
function appliedOf(update: Update, resizable: boolean): Record<string, Applied> {
  const given = FIELDS.filter((field) => update[field] !== undefined);
  return Object.fromEntries(
    given.map((field): [string, Applied] => {
      if (field === 'env') return [field, 'on-restart'];
      const inPlace = field !== 'resources' || (resizable && onlyCpuAndMemory(update.resources));
      return [field, inPlace ? 'immediately' : 'on-restart'];
    }),
  );
}

function onlyCpuAndMemory(resources: Update['resources']): boolean {
  const { requests, limits, ...others } = (resources ?? {}) as Readonly<Record<string, unknown>>;
  const names = [requests, limits].flatMap((amounts) => (isFields(amounts) ? Object.keys(amounts) : []));
  return Object.keys(others).length === 0 && names.every((name) => name === 'cpu' || name === 'memory');
}

function told(applied: Record<string, Applied>, sandbox: Sandbox): object {
  const phase = phaseOf(sandbox);
  const isUp = phase === 'Running' || phase === 'Creating';
  const waiting = Object.keys(applied).filter((field) => applied[field] === 'on-restart');
  const restartRequired = isUp && waiting.length > 0;
  if (restartRequired) {
    const message = `${waiting.join(' and ')} take effect when the sandbox is stopped and resumed`;
    return { applied, restartRequired, message };
  }
  if (isUp && applied['resources'] === 'immediately') {
    const message =
      'the node changes CPU and memory in place if it has room; ResizePending tells until it has';
    return { applied, restartRequired, message };
  }
  return { applied, restartRequired };
}
