// SPDX-License-Identifier: Apache-2.0
import type { EffectiveSpec } from '../generated/types.ts';
import { parseDomain } from '../egress/domains.ts';
import { parseCidr } from '../meta/cidr.ts';
import type { Violation } from '../meta/violation.ts';

type Network = NonNullable<EffectiveSpec['network']>;
type Rule = NonNullable<Network['egressRules'] | Network['ingressRules']>[number];

/** What is wrong with network rules beyond what the schema can say. */
export function networkViolations({ network }: EffectiveSpec): Violation[] {
  return [...ruleViolations(network), ...domainViolations(network)];
}

function ruleViolations(network: Network | undefined): Violation[] {
  return (['egressRules', 'ingressRules'] as const).flatMap((list) =>
    (network?.[list] ?? []).flatMap((rule, i) => {
      const field = `spec.network.${list}[${i}]`;
      return [...rangeViolations(rule, field), ...peerViolations(rule, field, list)];
    }),
  );
}

function domainViolations(network: Network | undefined): Violation[] {
  return (network?.allowedDomains ?? []).flatMap((text, i) => {
    const parsed = parseDomain(text);
    const field = `spec.network.allowedDomains[${i}]`;
    return parsed.ok ? [] : [wrong(field, `${field} ${parsed.problem}`, text)];
  });
}

/** What only shows after the merge: names narrow nothing where everything is open, and would read as if they did. */
export function domainConflict({ network }: EffectiveSpec): Violation[] {
  if (network?.allowInternet !== true || (network.allowedDomains ?? []).length === 0) return [];
  const field = 'spec.network.allowedDomains';
  const message = `${field} would narrow nothing, since network.allowInternet is true after the merge: set it to false, or the list to []`;
  return [wrong(field, message, network.allowedDomains?.join(', '))];
}

function rangeViolations({ cidr }: Rule, rule: string): Violation[] {
  if (cidr === undefined || parseCidr(cidr) !== undefined) return [];
  const field = `${rule}.cidr`;
  return [wrong(field, `${field} is no address range such as 10.1.0.0/16 or 2001:db8::/32`, cidr)];
}

/** Parts of a rule that would have no effect beside its Service are refused, since they would read as if they had. */
function peerViolations(
  { cidr, ports, serviceRef }: Rule,
  rule: string,
  list: 'egressRules' | 'ingressRules',
): Violation[] {
  if (serviceRef === undefined) return [];
  const out: Violation[] = [];
  if (cidr !== undefined) {
    out.push(wrong(`${rule}.cidr`, `${rule} names cidr and serviceRef: write two rules`, cidr));
  }
  if (list === 'egressRules' && ports !== undefined && ports.length > 0) {
    const message = `${rule}.ports: the ports are those of the Service; choose one of them with serviceRef.port`;
    out.push(wrong(`${rule}.ports`, message));
  }
  if (list === 'ingressRules' && serviceRef.port !== undefined) {
    const field = `${rule}.serviceRef.port`;
    const message = `${field} is a port of the caller's Service: name the sandbox's own ports in ${rule}.ports`;
    out.push(wrong(field, message, String(serviceRef.port)));
  }
  return out;
}

function wrong(field: string, message: string, actual?: string): Violation {
  return { code: 'invalid_value', field, message, ...(actual === undefined ? {} : { actual }) };
}
