// SPDX-License-Identifier: Apache-2.0
import { isPrivate, parseCidr } from '../../meta/cidr.ts';
import type { Violation } from '../../meta/violation.ts';
import type { PolicyInput } from '../check.ts';

/**
 * allowInternet false: no public address can be reached, neither by the switch nor by an egress rule that names public
 * addresses, which would be the same thing by another name.
 */
export function checkInternet({ policy, resolved }: PolicyInput): Violation[] {
  const bound = policy.allowInternet;
  if (bound === undefined) return [];
  const network = resolved.spec?.network;
  const refuse = (field: string, what: string, actual: string): Violation => ({
    code: 'network_not_allowed',
    field,
    message: `${field} ${what}, the ${bound.scope} policy keeps sandboxes off the internet`,
    limit: 'false',
    actual,
    scope: bound.scope,
  });
  const rules = (network?.egressRules ?? []).flatMap(({ cidr }, i) => {
    if (cidr === undefined) return [];
    const range = parseCidr(cidr);
    const closed = range !== undefined && isPrivate(range);
    return closed ? [] : [refuse(`spec.network.egressRules[${i}].cidr`, `opens ${cidr}`, cidr)];
  });
  const all =
    network?.allowInternet === true ? [refuse('spec.network.allowInternet', 'is true', 'true')] : [];
  return [...all, ...rules];
}
