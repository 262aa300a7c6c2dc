// SPDX-License-Identifier: Apache-2.0
import type { Sandbox, SandboxSpec } from '@agenttier/crds/generated/types';
import { parseImage } from '@agenttier/crds/meta/imageReference';
import { API_VERSION } from '@agenttier/crds/meta/labels';
import { CommandError } from '../context/failure.ts';

/** The flags of `create` that shape the object. */
export interface SpecFlags {
  readonly name?: string;
  readonly template?: string;
  readonly image?: string;
  readonly cpu?: string;
  readonly cpuRequest?: string;
  readonly memory?: string;
  readonly memoryRequest?: string;
  readonly storageSize?: string;
  readonly timeout?: string;
  readonly idleTimeout?: string;
  readonly gracePeriod?: string;
  readonly autoResume?: boolean;
  readonly env?: readonly string[];
  readonly allowInternet?: boolean;
  readonly runtimeClass?: string;
}

type Draft = { -readonly [Key in keyof SandboxSpec]: SandboxSpec[Key] };

/** The Sandbox that flags describe, on top of `base` (the file). Throws CommandError for what the server never sees. */
export function buildSandbox(flags: SpecFlags, namespace: string, base?: Sandbox): Sandbox {
  const metadata = {
    ...base?.metadata,
    ...(flags.name === undefined ? {} : { name: flags.name }),
    namespace,
  };
  if (metadata.name === undefined && metadata.generateName === undefined) {
    throw new CommandError('a name is required: kubectl agenttier create NAME --template TEMPLATE');
  }
  const spec = buildSpec(flags, base?.spec ?? {});
  if (!base && !spec.templateRef && !spec.image) {
    throw new CommandError(
      '--template is required (or --image, where policy lets a sandbox do without a template)',
    );
  }
  return { ...base, apiVersion: API_VERSION, kind: 'Sandbox', metadata, spec };
}

function buildSpec(flags: SpecFlags, base: SandboxSpec): SandboxSpec {
  const spec: Draft = { ...base, ...lifecycleOf(flags) };
  if (flags.template !== undefined) spec.templateRef = templateRef(flags.template);
  if (flags.image !== undefined) spec.image = { ...base.image, ...imageOf(flags.image) };
  const resources = resourcesOf(flags, base);
  if (resources !== undefined) spec.resources = resources;
  if (flags.storageSize !== undefined) spec.storage = { ...base.storage, size: flags.storageSize };
  if (flags.env !== undefined) spec.env = mergeEnv(base, flags.env);
  if (flags.allowInternet === true) spec.network = { ...base.network, allowInternet: true };
  if (flags.runtimeClass !== undefined) spec.runtimeClass = flags.runtimeClass;
  return spec;
}

/** When it stops by itself, and whether it comes back by itself. */
function lifecycleOf(flags: SpecFlags): Partial<Draft> {
  const { timeout, idleTimeout, gracePeriod, autoResume } = flags;
  return { ...present({ timeout, idleTimeout, gracePeriod }), ...(autoResume ? { autoResume } : {}) };
}

const TEMPLATE_KINDS: Readonly<Record<string, 'SandboxTemplate' | 'ClusterSandboxTemplate'>> = {
  sandboxtemplate: 'SandboxTemplate',
  sandboxtemplates: 'SandboxTemplate',
  sbt: 'SandboxTemplate',
  clustersandboxtemplate: 'ClusterSandboxTemplate',
  clustersandboxtemplates: 'ClusterSandboxTemplate',
  csbt: 'ClusterSandboxTemplate',
};

/** A bare name leaves the kind to admission, which looks in the namespace first and in the cluster then. */
export function templateRef(text: string): NonNullable<SandboxSpec['templateRef']> {
  const [kindText, name, ...rest] = text.includes('/') ? text.split('/') : [undefined, text];
  const kind =
    kindText === undefined
      ? undefined
      : TEMPLATE_KINDS[kindText.toLowerCase().replace(/\.agenttier\.io$/, '')];
  if (!name || rest.length > 0 || (kindText !== undefined && kind === undefined)) {
    throw new CommandError(
      `--template: ${JSON.stringify(text)} is neither NAME, SandboxTemplate/NAME nor ClusterSandboxTemplate/NAME`,
    );
  }
  return { ...(kind === undefined ? {} : { kind }), name };
}

/** A digest has to stay with the repository: the API has a field for the tag only. */
function imageOf(text: string): NonNullable<SandboxSpec['image']> {
  if (parseImage(text) === undefined)
    throw new CommandError(`--image: ${JSON.stringify(text)} is not an image reference`);
  const tag = text.includes('@') ? undefined : /:([^/:]+)$/.exec(text)?.[1];
  return tag === undefined ? { repository: text } : { repository: text.slice(0, -tag.length - 1), tag };
}

function resourcesOf(flags: SpecFlags, base: SandboxSpec): SandboxSpec['resources'] | undefined {
  const limits = present({ cpu: flags.cpu, memory: flags.memory });
  const requests = present({ cpu: flags.cpuRequest, memory: flags.memoryRequest });
  if (limits === undefined && requests === undefined) return undefined;
  return {
    ...base.resources,
    ...(limits ? { limits: { ...base.resources?.limits, ...limits } } : {}),
    ...(requests ? { requests: { ...base.resources?.requests, ...requests } } : {}),
  };
}

function present(values: Readonly<Record<string, string | undefined>>): Record<string, string> | undefined {
  const entries = Object.entries(values).filter((entry): entry is [string, string] => entry[1] !== undefined);
  return entries.length === 0 ? undefined : Object.fromEntries(entries);
}

function mergeEnv(base: SandboxSpec, assignments: readonly string[]): NonNullable<SandboxSpec['env']> {
  const variables = new Map((base.env ?? []).map((variable) => [variable.name, variable]));
  for (const assignment of assignments) {
    const at = assignment.indexOf('=');
    if (at < 1) throw new CommandError(`--env: ${JSON.stringify(assignment)} is not NAME=VALUE`);
    const name = assignment.slice(0, at);
    variables.set(name, { name, value: assignment.slice(at + 1) });
  }
  return [...variables.values()];
}
