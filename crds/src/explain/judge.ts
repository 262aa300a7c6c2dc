// SPDX-License-Identifier: Apache-2.0
import type { PolicySpec, Sandbox, TemplateSpec } from '../generated/types.ts';
import { effectivePolicy } from '../governance/effective.ts';
import { evaluate, type Verdict } from '../governance/evaluate.ts';
import { validateResolved, validateSandboxShape } from '../sandbox/validate.ts';
import {
  type Composition,
  composeChain,
  type TemplateKey,
  type TemplateKind,
  type TemplateLookup,
  type TemplateRef,
} from '../template/compose.ts';
import { DEFAULT_SETTINGS, resolve, type ResolveSettings } from '../template/merge.ts';
import { validateTemplate } from '../template/validate.ts';

/**
 * Admission without the cluster: what it would say about an object whose templates are not stored yet. The same functions
 * as in the webhook decide. The schema, ownership and quota are not looked at here.
 */
export interface JudgeInput {
  readonly namespace: string;
  /** What the template reference leads to; absent when there is none. */
  readonly chain?: Composition | undefined;
  readonly cluster?: PolicySpec | undefined;
  readonly local?: PolicySpec | undefined;
  /** Default: those of an installation that sets none. */
  readonly settings?: ResolveSettings;
}

export function judgeSandbox(sandbox: Sandbox, input: JudgeInput): Verdict {
  const { namespace, chain, cluster, local, settings = DEFAULT_SETTINGS } = input;
  const spec = sandbox.spec ?? {};
  const shape = validateSandboxShape(sandbox);
  if (chain?.ok === false) return { violations: [...shape, chain.violation], warnings: [] };
  const policy = effectivePolicy(cluster, local);
  const { resolved, warnings } = resolve(spec, chain?.chain ?? [], { ...settings, effectivePolicy: policy });
  const judged = evaluate({ namespace, spec, resolved, policy });
  return {
    violations: unique([...shape, ...validateResolved(resolved), ...judged.violations]),
    warnings: [...warnings, ...judged.warnings],
  };
}

export function judgeTemplate(
  template: { readonly kind: TemplateKind; readonly spec: TemplateSpec },
  chain: Composition | undefined,
): Verdict {
  const own = validateTemplate(template);
  const found = chain?.ok === false ? [{ ...chain.violation, field: 'spec.inheritsFrom.name' }] : [];
  return { violations: [...own, ...found], warnings: [] };
}

/** Once each: a mistake of the sandbox's own is seen in the merge as well. */
export function unique<
  T extends {
    readonly code?: string | undefined;
    readonly field?: string | undefined;
    readonly message: string;
  },
>(violations: readonly T[]): T[] {
  return [...new Map(violations.map((one) => [JSON.stringify([one.code, one.field]), one])).values()];
}

export type FoundTemplate = NonNullable<ReturnType<TemplateLookup>>;

export interface ChainSource {
  /** Asked first: the templates of the input. */
  readonly own: TemplateLookup;
  /** The cluster's; undefined when it does not exist. */
  readonly read: (key: TemplateKey) => Promise<FoundTemplate | undefined>;
}

export interface LoadedChain {
  readonly composition: Composition;
  /** The templates of the input that take part. */
  readonly used: readonly TemplateKey[];
}

/**
 * The chain that a reference leads to. Composing is pure and asks for one template at a time, so it is repeated with
 * what it missed until it needs nothing more. Rejects as `read` does.
 */
export async function loadChain(
  ref: TemplateRef,
  namespace: string,
  { own, read }: ChainSource,
): Promise<LoadedChain> {
  const known = new Map<string, FoundTemplate | undefined>();
  for (;;) {
    const wanted: TemplateKey[] = [];
    const used: TemplateKey[] = [];
    const composition = composeChain(ref, namespace, (key) => {
      const mine = own(key);
      if (mine !== undefined) used.push(key);
      else if (!known.has(keyText(key))) wanted.push(key);
      return mine ?? known.get(keyText(key));
    });
    if (wanted.length === 0) return { composition, used };
    const found = await Promise.all(wanted.map(async (key) => [keyText(key), await read(key)] as const));
    for (const [text, template] of found) known.set(text, template);
  }
}

export const keyText = (key: TemplateKey): string => `${key.kind}/${key.namespace ?? ''}/${key.name}`;
