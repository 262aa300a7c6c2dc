// SPDX-License-Identifier: Apache-2.0
import {
  type ClusterReader,
  combineViolations,
  type Input,
  inputOf,
  type InputObject,
  isLeanedOn,
  judgeWithInput,
} from '@agenttier/crds/explain/input';
import type { FoundTemplate } from '@agenttier/crds/explain/judge';
import { unknownFieldIn } from '@agenttier/crds/explain/unknownField';
import { equalJson } from '@agenttier/crds/meta/canonical';
import { FIELD_MANAGER_ROUTER } from '@agenttier/crds/meta/labels';
import type { TemplateKey } from '@agenttier/crds/template/compose';
import type { KubeClient } from '@agenttier/machinery/kube/client';
import { isKubeError, isNotFound } from '@agenttier/machinery/kube/errors';
import { namespaceAllowed } from '../../auth/authorize.ts';
import { impersonationOf } from '../../auth/principal.ts';
import type { Stores } from '../../cluster/caches.ts';
import type { CheckedObject } from './body.ts';
import { readCheck } from './body.ts';
import type { Handlers } from '../contract.ts';
import type { Call } from '../route.ts';
import { deniedBody } from '../denial.ts';
import { refusals } from '../errors.ts';
import { namespaceOf } from '../governance/operations.ts';
import { readPolicies } from '../governance/policies.ts';

export interface CheckOptions {
  readonly client: Pick<KubeClient, 'get' | 'apply'>;
  readonly stores: Pick<Stores, 'templates' | 'clusterTemplates'>;
  readonly defaultNamespace: string;
}

interface Objection {
  readonly code: string;
  readonly field: string;
  readonly message: string;
}

interface Judged {
  readonly checked: CheckedObject;
  readonly violations: readonly Objection[];
  readonly warnings: readonly string[];
  /** What others of the body must be judged with, since the cluster has it not, or otherwise. */
  readonly changed?: InputObject;
}

/** One verdict on the wire; the same names as those of `kubectl agenttier check -o json`. */
export interface CheckVerdict {
  readonly index: number;
  readonly kind: string;
  readonly namespace?: string;
  readonly name: string;
  readonly allowed: boolean;
  readonly judgedBy: 'cluster' | 'input';
  readonly note?: string;
  readonly violations: readonly Objection[];
  readonly warnings: readonly string[];
}

/** Verdicts on objects without storing them: the API server's dry run as the caller, so rights count as well. */
export function checkOperations(options: CheckOptions): Pick<Handlers, 'check'> {
  return {
    check: async (call) => {
      const objects = readCheck(call.body, namespaceOf(call, options.defaultNamespace));
      for (const { object } of objects) refuseForeign(call, object.metadata.namespace);
      const judged: Judged[] = [];
      for (const checked of objects) judged.push(await judge(options, call, checked));
      const input = inputOf(judged.flatMap(({ changed }) => changed ?? []));
      const reader = readerOf(options, call);
      const verdicts = await Promise.all(judged.map((one) => verdictOf(one, input, reader)));
      return { status: 200, body: { allowed: verdicts.every(({ allowed }) => allowed), verdicts } };
    },
  };
}

function refuseForeign({ principal }: Call, namespace: string | undefined): void {
  if (namespace !== undefined && !namespaceAllowed(principal, namespace)) {
    throw refusals.namespaceRefused(namespace);
  }
}

async function judge(options: CheckOptions, call: Call, checked: CheckedObject): Promise<Judged> {
  const { resource, object } = checked;
  const warnings: string[] = [];
  const leaned = isLeanedOn(resource.kind);
  try {
    const planned = await options.client.apply(resource, object, {
      impersonate: impersonationOf(call.principal),
      fieldManager: FIELD_MANAGER_ROUTER,
      fieldValidation: 'Strict',
      force: true,
      dryRun: true,
      signal: call.signal,
      onWarning: (text) => void warnings.push(text),
    });
    const differing = leaned && (await differs(options, call, { ...checked, object: planned }));
    return { checked, violations: [], warnings, ...(differing && { changed: planned }) };
  } catch (error) {
    return { checked, violations: objectionsIn(error), warnings, ...(leaned && { changed: object }) };
  }
}

/** 403 stands for policy and for a missing right alike: both keep the object out. */
const REFUSALS = new Set([400, 403, 404, 409, 413, 422]);

/** Why the API server refused; what says nothing about the object (no answer, too busy) is thrown on. */
function objectionsIn(error: unknown): readonly Objection[] {
  if (!isKubeError(error)) throw error;
  const unknown = unknownFieldIn(error.message);
  if (unknown) return [{ code: 'unknown_field', field: unknown, message: 'the schema has no such field' }];
  if (!REFUSALS.has(error.status)) throw error;
  const violations = deniedBody(error)?.violations ?? [];
  if (violations.length > 0) return violations;
  const code = error.reason.replace(/([a-z])([A-Z])/g, '$1_$2').toLowerCase();
  return [{ code, field: '', message: error.message }];
}

/** Whether storing it would change something for others that lean on it. */
async function differs(
  { client, stores }: CheckOptions,
  call: Call,
  checked: CheckedObject,
): Promise<boolean> {
  const { resource, object } = checked;
  const { name = '', namespace } = object.metadata;
  const { kind } = resource;
  if (kind === 'SandboxTemplate' || kind === 'ClusterSandboxTemplate') {
    const stored = storedTemplate(stores, { kind, name, ...(namespace === undefined ? {} : { namespace }) });
    return !equalJson(stored?.spec, object.spec);
  }
  try {
    const stored = await client.get<typeof object>(resource, { namespace, name }, { signal: call.signal });
    return !equalJson(stored.spec, object.spec);
  } catch (error) {
    if (isNotFound(error)) return true;
    throw error;
  }
}

function storedTemplate(
  { templates, clusterTemplates }: CheckOptions['stores'],
  { kind, namespace, name }: TemplateKey,
): FoundTemplate | undefined {
  const found =
    kind === 'SandboxTemplate' ? templates.get(namespace, name) : clusterTemplates.get(undefined, name);
  return found && { metadata: found.metadata, spec: found.spec ?? {} };
}

const readerOf = ({ client, stores }: CheckOptions, { signal }: Call): ClusterReader => ({
  template: async (key) => storedTemplate(stores, key),
  policies: (namespace) => readPolicies(client, namespace, signal),
});

async function verdictOf(
  { checked, violations, warnings }: Judged,
  input: Input,
  reader: ClusterReader,
): Promise<CheckVerdict> {
  const { index, resource, object } = checked;
  const { name = '', namespace } = object.metadata;
  const subject = { index, kind: resource.kind, ...(namespace === undefined ? {} : { namespace }), name };
  const byInput = await judgeWithInput(object, input, reader);
  if (byInput === undefined) {
    return { ...subject, allowed: violations.length === 0, judgedBy: 'cluster', violations, warnings };
  }
  const all = combineViolations(violations, byInput);
  return {
    ...subject,
    allowed: all.length === 0,
    judgedBy: 'input',
    note: byInput.note,
    violations: all,
    warnings: byInput.warnings,
  };
}
