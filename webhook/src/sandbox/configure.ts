// SPDX-License-Identifier: Apache-2.0
import type { Violation } from '@agenttier/crds/meta/violation';
import { actorDigest, agentConfigViolations } from '@agenttier/crds/sandbox/agentConfig';
import type { AgentConfig } from '@agenttier/crds/sandbox/agentConfig';
import type { Principal } from '../identity.ts';
import { sameJson } from './change.ts';
import type { SpecifiedSandbox } from './specified.ts';

type Config = AgentConfig | undefined;

/** What whoever configures writes; `configuredBy` is the webhook's. */
function written(config: Config): unknown {
  // Before the schema is checked it may be anything.
  if (typeof config !== 'object' || config === null) return config;
  const { configuredBy: _by, ...rest } = config;
  return rest;
}

/** Whether an update configures the agent, in this or another way than before. */
export function isConfigured(sandbox: SpecifiedSandbox, old: SpecifiedSandbox | undefined): boolean {
  return !sameJson(written(sandbox.spec.agentConfig), written(old?.spec.agentConfig));
}

function authorOf(
  sandbox: SpecifiedSandbox,
  old: SpecifiedSandbox | undefined,
  principal: Principal,
): string | undefined {
  return isConfigured(sandbox, old) ? actorDigest(principal.sub) : old?.spec.agentConfig?.configuredBy;
}

/** Writes who configured the agent, as of the last change of the configuration. */
export function stampConfig(
  sandbox: SpecifiedSandbox,
  old: SpecifiedSandbox | undefined,
  principal: Principal,
): { readonly agentConfig?: AgentConfig } {
  const { agentConfig } = sandbox.spec;
  if (typeof agentConfig !== 'object' || agentConfig === null) return {};
  const { configuredBy: _by, ...rest } = agentConfig;
  const author = authorOf(sandbox, old, principal);
  return { agentConfig: author === undefined ? rest : { ...rest, configuredBy: author } };
}

/** What is wrong with the configuration in itself. */
export function configFormViolations(
  { spec }: SpecifiedSandbox,
  effective: Parameters<typeof agentConfigViolations>[1],
): Violation[] {
  return agentConfigViolations(spec.agentConfig, effective);
}

/** That nobody says somebody else had configured it. */
export function configAuthorViolations(
  sandbox: SpecifiedSandbox,
  old: SpecifiedSandbox | undefined,
  principal: Principal,
): Violation[] {
  const { agentConfig } = sandbox.spec;
  if (agentConfig === undefined || agentConfig.configuredBy === authorOf(sandbox, old, principal)) return [];
  const field = 'spec.agentConfig.configuredBy';
  return [{ code: 'owner_forged', field, message: `${field} is written by AgentTier; remove it` }];
}

/**
 * What a policy says about images and templates holds anew at each configuration: it brings code into a sandbox that may
 * have been admitted under another policy. The rest of the policy is asked at a resume, as for any edit.
 */
const ASKED_AGAIN: ReadonlySet<string> = new Set([
  'template_not_allowed',
  'template_required',
  'image_registry_not_approved',
  'image_digest_required',
  'agent_image_not_approved',
]);

export function askedAgain(violations: readonly Violation[]): Violation[] {
  return violations.filter(({ code }) => ASKED_AGAIN.has(code));
}
