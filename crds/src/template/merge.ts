// SPDX-License-Identifier: Apache-2.0
import type { EffectiveSpec, Resolved, SandboxSpec } from '../generated/types.ts';
import type { EffectivePolicy } from '../governance/effective.ts';
import { canonicalJson } from '../meta/canonical.ts';
import { sha256Hex } from '../meta/hash.ts';
import { parseImage } from '../meta/imageReference.ts';
import { baseLayer, beneathOf } from './base.ts';
import { clampAgent, clampTimes } from './clamp.ts';
import { describeTemplate, type TemplateObject } from './compose.ts';
import { EMPTY_LAYER, fillFrom, originAt, readLayer, render, stack, without, type Layer } from './layer.ts';
import { withMemory } from './memory.ts';
import { keepMode } from './mode.ts';
import { networkDefault } from './networkDefault.ts';
import { keepVolume, type BoundVolume } from './volume.ts';

/** Origins that are no template, beside ORIGIN_VOLUME and ORIGIN_CREATION. */
export const ORIGIN_SANDBOX = 'Sandbox';
export const ORIGIN_DEFAULT = 'default';
export const ORIGIN_POLICY = 'policy';

export interface ResolveSettings {
  /** What applies where neither a template nor the sandbox says anything; nothing does when it is absent. */
  readonly defaults?: EffectiveSpec;
  /** Image of the sidecar that remembers for agents; without it they have none. */
  readonly memoryImage?: string | undefined;
  /** What the sandbox's volume was made with, once it has one; it outlives changes of templates. */
  readonly volume?: BoundVolume | undefined;
  /** The mode that the sandbox was made with, once it is made. */
  readonly mode?: EffectiveSpec['mode'];
  /** The volume is larger than even the sandbox asks for: it is made from a snapshot. */
  readonly volumeWins?: boolean | undefined;
  /** Clamps run time and idle time where they are left open; without it nothing is clamped. */
  readonly effectivePolicy?: EffectivePolicy;
}

/** Defaults of an installation that sets none: never an unbounded pod, never an open network. */
export const DEFAULT_SETTINGS: ResolveSettings & { readonly defaults: EffectiveSpec } = {
  defaults: {
    mode: 'code',
    resources: { requests: { cpu: '500m', memory: '1Gi' }, limits: { cpu: '2', memory: '4Gi' } },
    storage: { size: '10Gi', mountPath: '/workspace' },
    network: { allowInternet: false, allowPeerSandboxes: false },
  },
};

export interface Resolution {
  readonly resolved: Resolved;
  /** Sentences of at most 120 characters for the person who sent the sandbox. */
  readonly warnings: readonly string[];
}

/** Everything that one merge starts from. */
interface MergeInput {
  readonly chain: NonNullable<Resolved['chain']>;
  /** The templates, root first. */
  readonly layers: readonly Layer[];
  readonly spec: SandboxSpec;
  readonly settings: ResolveSettings;
}

/**
 * Merges defaults, the chain (root first, empty when the sandbox names no template) and the sandbox into the
 * effective spec, clamps it to the policy and seals it with a hash. The same input gives the same output, so the
 * webhook may be called again with its own result.
 */
export function resolve(
  sandboxSpec: SandboxSpec,
  chain: readonly TemplateObject[],
  settings: ResolveSettings = DEFAULT_SETTINGS,
): Resolution {
  const layers = chain.map((template) => readLayer(template.spec, describeTemplate(template)));
  return sealed({ chain: chain.map((template) => linkOf(template)), layers, spec: sandboxSpec, settings });
}

/**
 * Merges the sandbox over what its templates said when `kept` was made, whatever became of them since: for a pinned
 * sandbox, for an edit between two resumes, and where a template is gone. With the spec that `kept` was made from the
 * result is `kept`, as far as settings and policy are the same.
 */
export function resolveOver(
  kept: Resolved,
  sandboxSpec: SandboxSpec,
  settings: ResolveSettings = DEFAULT_SETTINGS,
): Resolution {
  return sealed({ chain: kept.chain ?? [], layers: [baseLayer(kept)], spec: sandboxSpec, settings });
}

function sealed({ chain, layers, spec, settings }: MergeInput): Resolution {
  const base = layers.reduce(stack, EMPTY_LAYER);
  const own = readLayer(spec, ORIGIN_SANDBOX);
  const secret = dropForeignPullSecret(stack(base, own), [...layers, own]);
  const defaults = networkDefault(settings.defaults ?? {}, secret.layer, settings.effectivePolicy);
  const merged = render(fillFrom(readLayer(defaults, ORIGIN_DEFAULT), secret.layer));
  const bound = keepMode(
    keepVolume(merged.spec, merged.origins, settings.volume, settings.volumeWins),
    settings.mode,
  );
  const timed = clampTimes(bound.spec, bound.origins, settings.effectivePolicy);
  const clamped = withMemory(clampAgent(timed, settings.effectivePolicy), settings.memoryImage);
  // Templates that left the registry of their own secret do not take it along when the sandbox is edited later.
  const { layer: known } = dropForeignPullSecret(base, layers);
  const beneath = beneathOf(known, { layer: secret.layer, origins: clamped.origins });
  const content = {
    compat: compatHash(clamped.spec),
    chain,
    origins: clamped.origins,
    ...(beneath.length > 0 ? { beneath } : {}),
    spec: clamped.spec,
  };
  return {
    resolved: { hash: hashResolved(content), ...content },
    warnings: [...secret.warnings, ...bound.warnings, ...clamped.warnings],
  };
}

/** SHA-256 over everything in `spec.resolved` but the hash itself. */
export function hashResolved(resolved: Omit<Resolved, 'hash'> & { readonly hash?: string }): string {
  const { hash: _, ...content } = resolved;
  return sha256Hex(canonicalJson(content));
}

/** What is applied to a pod that is already running, or is about the sandbox's times and not about its pod. */
const APPLIED_LATER: ReadonlySet<string> = new Set(['env', 'timeout', 'idleTimeout']);

/**
 * Hash of what a running pod cannot change any more: two sandboxes with the same one can take the same prepared pod.
 * Every field counts that is not known to be applied later, so a field that is new here keeps pods apart until somebody
 * says otherwise. Variables from Secrets are the kubelet's to fill in, and scripts have run with the variables of
 * their pod: these count.
 */
export function compatHash(spec: EffectiveSpec): string {
  const fixed = Object.entries(spec).filter(([field]) => !APPLIED_LATER.has(field));
  const { hooks: _, ...harness } = spec.harness ?? {};
  const scripted = (spec.initScripts ?? []).length > 0;
  const env = (spec.env ?? []).filter(({ valueFrom }) => scripted || valueFrom !== undefined);
  return sha256Hex(canonicalJson({ ...Object.fromEntries(fixed), harness, env }));
}

function linkOf(template: TemplateObject): NonNullable<Resolved['chain']>[number] {
  const { namespace, name = '', uid, generation } = template.metadata;
  return {
    kind: template.kind,
    ...(namespace === undefined ? {} : { namespace }),
    name,
    ...(uid === undefined ? {} : { uid }),
    ...(generation === undefined ? {} : { generation }),
  };
}

/**
 * A pull secret is for the registry it was written for: when a later layer moves the image to another registry, the
 * secret is not sent there. Decided over the whole stack, since no two layers alone can tell.
 */
function dropForeignPullSecret(
  merged: Layer,
  layers: readonly Layer[],
): { layer: Layer; warnings: string[] } {
  const setBy = layers.findLastIndex((layer) => originAt(layer, 'image.pullSecret') !== undefined);
  if (setBy < 0 || originAt(merged, 'image.pullSecret') === undefined) return { layer: merged, warnings: [] };
  const meant = registryOf(layers.slice(0, setBy + 1).reduce(stack, EMPTY_LAYER));
  const final = registryOf(merged);
  if (meant === undefined || final === undefined || meant === final) return { layer: merged, warnings: [] };
  const warning = `spec.image.pullSecret of a template is left out: it is for ${meant}, the image is on ${final}`;
  return { layer: without(merged, 'image.pullSecret'), warnings: [warning.slice(0, 120)] };
}

function registryOf(layer: Layer): string | undefined {
  const repository = layer.get('image.repository')?.entries[0]?.value;
  return typeof repository === 'string' ? parseImage(repository)?.registry : undefined;
}
