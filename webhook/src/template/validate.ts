// SPDX-License-Identifier: Apache-2.0
import { evaluate } from '@agenttier/crds/governance/evaluate';
import type { EffectivePolicy } from '@agenttier/crds/governance/effective';
import { equalJson } from '@agenttier/crds/meta/canonical';
import type { Violation } from '@agenttier/crds/meta/violation';
import { workloadViolations } from '@agenttier/crds/sandbox/workload';
import type { TemplateObject } from '@agenttier/crds/template/compose';
import { resolve } from '@agenttier/crds/template/merge';
import type { ResolveSettings } from '@agenttier/crds/template/merge';
import { unsupportedFields } from '@agenttier/crds/template/unsupported';
import type { Lookup, ReadOptions } from '../lookup.ts';
import { newViolations } from '../ratchet.ts';
import { ALLOW } from '../review.ts';
import type { AdmissionRequest, Handler, Verdict } from '../review.ts';
import { parentsOf, writtenTemplate } from './parents.ts';
import type { WrittenTemplate } from './parents.ts';
import { removalViolations } from './remove.ts';

export interface TemplateHandlerOptions {
  readonly lookup: Pick<Lookup, 'chain' | 'policy' | 'users'>;
  readonly settings: ResolveSettings;
}

interface Judgement {
  readonly violations: readonly Violation[];
  readonly warnings: readonly string[];
}

/** Images are the template's own choice and decided here; amounts a sandbox may still set lower, so they only warn. */
const DECISIVE: ReadonlySet<string> = new Set(['image_registry_not_approved', 'agent_image_not_approved']);
/** What a sandbox decides, not the template: which template it names, and an image where the template leaves it open. */
const NOT_ABOUT_TEMPLATES: ReadonlySet<string> = new Set([
  'image_required',
  'template_not_allowed',
  'template_required',
]);

/** Judges what sandboxes of this template would get if they said nothing themselves. */
export function judgeByPolicy(
  chain: readonly TemplateObject[],
  policy: EffectivePolicy,
  settings: ResolveSettings,
): Judgement {
  const leaf = chain.at(-1);
  const namespace = leaf?.metadata.namespace ?? '';
  const { resolved } = resolve({}, chain, { ...settings, effectivePolicy: policy });
  const found = evaluate({ namespace, spec: {}, resolved, policy }).violations;
  return {
    violations: found.filter((violation) => DECISIVE.has(violation.code)),
    warnings: found
      .filter(({ code }) => !DECISIVE.has(code) && !NOT_ABOUT_TEMPLATES.has(code))
      .map(({ message }) => `sandboxes of this template will be refused: ${message}`),
  };
}

async function governed(
  chain: readonly TemplateObject[],
  old: WrittenTemplate | undefined,
  options: TemplateHandlerOptions,
  read: ReadOptions,
): Promise<Judgement> {
  const outcome = await options.lookup.policy(chain.at(-1)?.metadata.namespace, read);
  if (!outcome.ok) return { violations: [outcome.violation], warnings: [] };
  const now = judgeByPolicy(chain, outcome.policy, options.settings);
  const before = old
    ? judgeByPolicy([...chain.slice(0, -1), old], outcome.policy, options.settings).violations
    : [];
  return { violations: newViolations(now.violations, before), warnings: now.warnings };
}

function formViolations(template: WrittenTemplate): Violation[] {
  return [...unsupportedFields(template.kind, template.spec), ...workloadViolations(template.spec)];
}

async function judge(
  template: WrittenTemplate,
  old: WrittenTemplate | undefined,
  options: TemplateHandlerOptions,
  read: ReadOptions,
): Promise<Judgement> {
  const form = newViolations(formViolations(template), old ? formViolations(old) : []);
  const parents = await parentsOf(template, options.lookup, read);
  if (!parents.ok) {
    // A parent that was deleted meanwhile does not forbid to edit what was there before.
    const known = old !== undefined && equalJson(template.spec.inheritsFrom, old.spec.inheritsFrom);
    return { violations: known ? form : [...form, parents.violation], warnings: [] };
  }
  const judged = await governed([...parents.chain, template], old, options, read);
  return { violations: [...form, ...judged.violations], warnings: judged.warnings };
}

function removal(request: AdmissionRequest, { lookup }: TemplateHandlerOptions): Verdict {
  const template = writtenTemplate(request, request.oldObject);
  return template ? { violations: removalViolations(template, lookup.users(), request.userInfo) } : ALLOW;
}

/** `/validate/templates`, for both kinds. Metadata stays editable whatever the spec says. */
export function validateTemplates(options: TemplateHandlerOptions): Handler {
  return async (request, signal): Promise<Verdict> => {
    if (request.operation === 'DELETE') return removal(request, options);
    const template = writtenTemplate(request, request.object);
    const old = request.operation === 'UPDATE' ? writtenTemplate(request, request.oldObject) : undefined;
    const untouched = template && old && equalJson(template.spec, old.spec);
    if (!template || untouched || template.metadata.deletionTimestamp) return ALLOW;
    return judge(template, old, options, { signal });
  };
}
