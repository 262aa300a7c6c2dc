// SPDX-License-Identifier: Apache-2.0
import type { Resolved } from '../../generated/types.ts';
import type { Violation } from '../../meta/violation.ts';
import type { Bound } from '../effective.ts';
import type { PolicyInput } from '../check.ts';

type Link = NonNullable<Resolved['chain']>[number];

/** allowedTemplates: the template that the sandbox names is listed, and there is one; with checkChain its parents, too. */
export function checkTemplates(input: PolicyInput): Violation[] {
  const chain = input.resolved.chain ?? [];
  const leaf = chain.at(-1);
  const asked = input.policy.checkChain === undefined ? chain.slice(-1) : chain.toReversed();
  return input.policy.allowedTemplates.flatMap((bound): Violation[] => {
    const limit = bound.value.join(', ');
    if (leaf === undefined) {
      const message = `spec.templateRef is required: the ${bound.scope} policy allows only ${limit}`;
      return [
        { code: 'template_required', field: 'spec.templateRef.name', message, limit, scope: bound.scope },
      ];
    }
    return asked
      .filter((link) => !bound.value.some((entry) => matches(entry, link, bound)))
      .map((link) => {
        const actual = qualified(link);
        const through = link === leaf ? '' : `, which ${qualified(leaf)} inherits from,`;
        const message = `template ${actual}${through} is not one of those that the ${bound.scope} policy allows: ${limit}`;
        const field = 'spec.templateRef.name';
        return { code: 'template_not_allowed', field, message, limit, actual, scope: bound.scope };
      });
  });
}

/**
 * A plain name in the policy of the cluster means a template of the cluster: whoever may create templates in a
 * namespace could otherwise pass by giving one the allowed name.
 */
function matches(entry: string, leaf: Link, bound: Bound<readonly string[]>): boolean {
  if (entry === qualified(leaf) || entry === `${leaf.kind}/${leaf.name}`) return true;
  if (leaf.kind === 'SandboxTemplate' && entry === `${leaf.namespace}/${leaf.name}`) return true;
  return entry === leaf.name && (leaf.kind === 'ClusterSandboxTemplate' || bound.scope === 'namespace');
}

function qualified(leaf: Link): string {
  return leaf.kind === 'ClusterSandboxTemplate'
    ? `${leaf.kind}/${leaf.name}`
    : `${leaf.kind}/${leaf.namespace ?? ''}/${leaf.name}`;
}
