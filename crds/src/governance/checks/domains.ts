// SPDX-License-Identifier: Apache-2.0
import { coversDomain, parseDomain, readDomains } from '../../egress/domains.ts';
import type { Violation } from '../../meta/violation.ts';
import type { PolicyInput } from '../check.ts';

/**
 * allowedDomains: every domain of the sandbox is covered by an entry. Where the policy closes the internet, a domain is the
 * internet, too, unless a policy lists it.
 */
export function checkDomains({ policy, resolved }: PolicyInput): Violation[] {
  const domains = resolved.spec?.network?.allowedDomains ?? [];
  const listed = policy.allowedDomains.flatMap(({ value, scope }) => {
    const outer = readDomains(value);
    return domains.flatMap((text, i) => {
      const inner = parseDomain(text);
      if (inner.ok && coversDomain(outer, inner.domain)) return [];
      const limit = value.join(', ');
      const what = `is ${text}, the ${scope} policy allows only ${limit}`;
      return [refusal(i, what, { limit, actual: text, scope })];
    });
  });
  const closed = policy.allowInternet;
  if (closed === undefined || policy.allowedDomains.length > 0) return listed;
  const what = `the ${closed.scope} policy keeps sandboxes off the internet and lists no allowedDomains`;
  return domains.map((text, i) =>
    refusal(i, `opens ${text}, ${what}`, { limit: 'false', actual: text, scope: closed.scope }),
  );
}

function refusal(
  index: number,
  what: string,
  rest: Pick<Violation, 'limit' | 'actual' | 'scope'>,
): Violation {
  const field = `spec.network.allowedDomains[${index}]`;
  return { code: 'network_not_allowed', field, message: `${field} ${what}`, ...rest };
}
