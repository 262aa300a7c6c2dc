// SPDX-License-Identifier: Apache-2.0
import type { EffectiveSpec, Sandbox } from '@agenttier/crds/generated/types';
import type { EffectivePolicy } from '@agenttier/crds/governance/effective';
import { canonicalJson } from '@agenttier/crds/meta/canonical';
import { parseDuration } from '@agenttier/crds/meta/duration';
import { sha256Hex } from '@agenttier/crds/meta/hash';
import type { AgentConfig } from '@agenttier/crds/sandbox/agentConfig';
import { INVOKE_TIMEOUT } from '@agenttier/crds/template/clamp';
import type { Pod } from '../core.ts';
import { mainStatus } from '../sandbox/failure.ts';
import { mountPathOf } from '../sandbox/effective.ts';

/** What the runtime is to know about invocations; the members that it takes by these names. */
export interface AgentSettings {
  readonly entrypoint: readonly string[];
  readonly workingDir: string;
  readonly env: Readonly<Record<string, string>>;
  /** Zero for no cap. */
  readonly maxConcurrent: number;
  readonly defaultTimeoutSeconds: number;
  /** Zero for no ceiling. */
  readonly maxTimeoutSeconds: number;
}

/** How an agent is to be: its templates, what the sandbox configures over them, and the policy of now. */
export interface AgentWish {
  readonly settings: AgentSettings;
  readonly installCommand: readonly string[];
  readonly files: NonNullable<AgentConfig['files']>;
  /** The sender's own hash of what it configured. */
  readonly hash: string | undefined;
  readonly configuredBy: string | undefined;
  /** Of everything above: another one has to be told to the runtime. */
  readonly configHash: string;
}

/** Undefined for a sandbox that is no agent. */
export function agentWish(
  sandbox: Sandbox,
  spec: EffectiveSpec,
  policy: EffectivePolicy | undefined,
): AgentWish | undefined {
  if (spec.mode !== 'agent') return undefined;
  const config = sandbox.spec?.agentConfig ?? {};
  const agent = spec.harness?.agent ?? {};
  const content = {
    settings: settingsOf(spec, config, policy),
    installCommand: filled(config.installCommand) ?? agent.installCommand ?? [],
    files: config.files ?? [],
    hash: config.hash,
  };
  return { ...content, configuredBy: config.configuredBy, configHash: sha256Hex(canonicalJson(content)) };
}

function settingsOf(
  spec: EffectiveSpec,
  config: AgentConfig,
  policy: EffectivePolicy | undefined,
): AgentSettings {
  const { entrypoint = [], workingDir, env = [] } = spec.harness?.agent ?? {};
  return {
    entrypoint: filled(config.entrypoint) ?? entrypoint,
    workingDir: workingDir || workingDirOf(spec),
    env: Object.fromEntries(env.map(({ name, value = '' }) => [name, value])),
    ...limitsOf(spec.harness?.agent ?? {}, policy),
  };
}

const workingDirOf = (spec: EffectiveSpec): string => spec.harness?.workingDir || mountPathOf(spec);

type AgentBlock = NonNullable<NonNullable<EffectiveSpec['harness']>['agent']>;

/** The policy of now counts, not that of the last admission: one that was tightened holds for agents that run. */
function limitsOf(
  { maxConcurrentInvokes = 0, defaultInvokeTimeout }: AgentBlock,
  policy: EffectivePolicy | undefined,
): Pick<AgentSettings, 'maxConcurrent' | 'defaultTimeoutSeconds' | 'maxTimeoutSeconds'> {
  const cap = Number(policy?.maxConcurrentInvokesPerSandbox?.value ?? 0);
  const ceiling = secondsOf(policy?.maxInvokeTimeout?.value) ?? 0;
  const usual = secondsOf(defaultInvokeTimeout) ?? USUAL_SECONDS;
  return {
    maxConcurrent: least(maxConcurrentInvokes, cap),
    defaultTimeoutSeconds: least(usual, ceiling),
    maxTimeoutSeconds: ceiling,
  };
}

/** The smaller of two limits of which zero is none. */
const least = (a: number, b: number): number => (a > 0 && b > 0 ? Math.min(a, b) : Math.max(a, b));

/** An empty command says nothing. */
const filled = (command: readonly string[] | undefined): readonly string[] | undefined =>
  command !== undefined && command.length > 0 ? command : undefined;

/** Undefined for no time at all; a part of a second is a second. */
function secondsOf(duration: string | undefined): number | undefined {
  const ms = duration === undefined ? undefined : parseDuration(duration);
  return ms === undefined || ms <= 0 ? undefined : Math.ceil(ms / 1000);
}

const USUAL_SECONDS = secondsOf(INVOKE_TIMEOUT) ?? 0;

export const hasInstallation = ({ installCommand, files }: AgentWish): boolean =>
  installCommand.length + files.length > 0;

/**
 * Names an installation by all that its result depends on: another image, or another volume, needs it again. Entrypoint
 * and limits are no part of it.
 */
export function installId({ installCommand, files, hash }: AgentWish, image: string, volume: string): string {
  const sorted = files.toSorted((a, b) => (a.path < b.path ? -1 : 1));
  return sha256Hex(canonicalJson({ installCommand, files: sorted, hash, image, volume }));
}

/** What the main container really runs: the digest where the kubelet names one. Undefined until it reports. */
export function runningImage(pod: Pod): string | undefined {
  const { imageID } = mainStatus(pod) ?? {};
  return imageID ? (/sha256:[0-9a-f]{64}/.exec(imageID)?.[0] ?? imageID) : undefined;
}
