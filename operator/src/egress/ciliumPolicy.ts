// SPDX-License-Identifier: Apache-2.0
import { readDomains, WEB_PORTS } from '@agenttier/crds/egress/domains';
import type { AllowedDomain } from '@agenttier/crds/egress/domains';
import type { EffectiveSpec } from '@agenttier/crds/generated/types';
import { canonicalJson } from '@agenttier/crds/meta/canonical';
import { contains, METADATA_SERVICES, parseCidr } from '@agenttier/crds/meta/cidr';
import { LABEL_SANDBOX_UID } from '@agenttier/crds/meta/labels';
import { networkPolicyName } from '@agenttier/crds/meta/names';
import type { CiliumNetworkPolicy, CiliumPeerRule, EgressRule } from '../core.ts';
import { needsNames } from '../sandbox/networkPolicy.ts';
import { hasOwnedMeta, ownedMeta, partsName } from '../sandbox/ownership.ts';
import type { Identity } from '../sandbox/ownership.ts';
import type { DnsSettings, Settings } from '../settings.ts';
import { NOT_INTERNET } from './ranges.ts';

type PortRule = NonNullable<CiliumPeerRule['toPorts']>[number];

/**
 * The names that a sandbox lists, and nothing else: what its other rules open is in its NetworkPolicy (`others`), beside which
 * this one counts. An answer for a listed name can be any address, so those that no name may lead to are denied; a
 * denial wins over every rule, also over those of `others`, so what these open is left out of it.
 */
export function buildCiliumPolicy(
  owner: Identity,
  spec: EffectiveSpec,
  settings: Settings,
  others: readonly EgressRule[],
): CiliumNetworkPolicy {
  const domains = readDomains(spec.network?.allowedDomains);
  const ports = [...new Set(domains.flatMap(portsOf))].sort((a, b) => a - b);
  return {
    metadata: ownedMeta(owner, networkPolicyName(partsName(owner))),
    spec: {
      endpointSelector: { matchLabels: { [LABEL_SANDBOX_UID]: owner.uid } },
      egress: [
        ...dnsRules(needsNames(spec) ? [{ matchPattern: '*' }] : selectorsOf(domains), settings.dns),
        ...nameRules(domains),
      ],
      egressDeny: [
        { toCIDR: METADATA_SERVICES },
        { toEntities: CLOSED_ENTITIES, toPorts: onPorts(ports) },
        ...rangeDenials(ports, settings, others),
      ],
    },
  };
}

export const ciliumPolicyMatches = (live: CiliumNetworkPolicy, desired: CiliumNetworkPolicy): boolean =>
  !hasForeignParts(live, desired) &&
  hasOwnedMeta(live, desired) &&
  canonicalJson(live.spec) === canonicalJson(desired.spec);

/** What an apply of our own fields would leave as it is: another rule beside ours, a list of further policies (`specs`). */
export function hasForeignParts(live: CiliumNetworkPolicy, desired: CiliumNetworkPolicy): boolean {
  const { endpointSelector: theirs } = live.spec ?? {};
  const { endpointSelector: ours } = desired.spec;
  return (
    'specs' in live ||
    hasMore(live.spec, desired.spec) ||
    hasMore(theirs, ours) ||
    hasMore(theirs?.matchLabels, ours.matchLabels)
  );
}

const hasMore = (theirs: object | undefined, ours: object | undefined): boolean =>
  Object.keys(theirs ?? {}).some((key) => !(key in (ours ?? {})));

/** Nodes and the API server are no matter of names. The host is also where node-local DNS listens: on another port. */
const CLOSED_ENTITIES = ['host', 'remote-node', 'kube-apiserver'];

const portsOf = ({ port }: AllowedDomain): readonly number[] => (port === undefined ? WEB_PORTS : [port]);

/** Two asterisks are every name below, however deep; in older versions of Cilium one label: less, never more. */
const selectorOf = ({ name, wildcard }: AllowedDomain): object =>
  wildcard ? { matchPattern: `**.${name}` } : { matchName: name };

/** Each name once, whatever ports it is listed with. */
function selectorsOf(domains: readonly AllowedDomain[]): object[] {
  const seen = new Map(domains.map((domain) => [`${domain.wildcard}/${domain.name}`, selectorOf(domain)]));
  return [...seen.values()];
}

/** Cilium learns addresses from answers that pass through its proxy: a name that may not be asked for stays closed. */
function dnsRules(
  dns: readonly object[],
  { namespace, podLabels, nodeLocal }: DnsSettings,
): CiliumPeerRule[] {
  const labels = Object.entries(podLabels).map(([key, value]) => [`k8s:${key}`, value] as const);
  const matchLabels = { 'k8s:io.kubernetes.pod.namespace': namespace, ...Object.fromEntries(labels) };
  const toPorts = [{ ports: [{ port: '53', protocol: 'ANY' }], rules: { dns } }];
  return [
    { toEndpoints: [{ matchLabels }], toPorts },
    ...(nodeLocal.length > 0 ? [{ toCIDR: nodeLocal, toPorts }] : []),
  ];
}

/** One rule for all names with the same ports. */
function nameRules(domains: readonly AllowedDomain[]): CiliumPeerRule[] {
  const groups = Map.groupBy(domains, (domain) => portsOf(domain).join(','));
  return [...groups.values()].map((group) => ({
    toFQDNs: selectorsOf(group),
    toPorts: onPorts(group.slice(0, 1).flatMap(portsOf)),
  }));
}

/** Cilium takes forty ports at most in one of these. */
const MAX_PORTS = 40;

function onPorts(ports: readonly number[]): PortRule[] {
  const chunks = Array.from({ length: Math.ceil(ports.length / MAX_PORTS) }, (_, i) =>
    ports.slice(i * MAX_PORTS, (i + 1) * MAX_PORTS),
  );
  return chunks.map((chunk) => ({ ports: chunk.map((port) => ({ port: String(port), protocol: 'TCP' })) }));
}

/** Ranges that no name may lead to, on the ports that names open. Ports with the same ranges share a rule. */
function rangeDenials(
  ports: readonly number[],
  { clusterCidrs, egress }: Settings,
  others: readonly EgressRule[],
): CiliumPeerRule[] {
  const closed = [...new Set([...NOT_INTERNET, ...clusterCidrs])];
  const groups = new Map<string, { readonly toCIDRSet: object[]; readonly ports: number[] }>();
  for (const port of ports) {
    const toCIDRSet = without(closed, [...egress.privateCidrs, ...openedOn(port, others)]);
    const key = JSON.stringify(toCIDRSet);
    const group = groups.get(key) ?? { toCIDRSet, ports: [] };
    group.ports.push(port);
    groups.set(key, group);
  }
  return [...groups.values()]
    .filter(({ toCIDRSet }) => toCIDRSet.length > 0)
    .map((group) => ({ toCIDRSet: group.toCIDRSet, toPorts: onPorts(group.ports) }));
}

function openedOn(port: number, rules: readonly EgressRule[]): string[] {
  const open = rules.filter(
    ({ ports = [] }) =>
      ports.length === 0 || ports.some((one) => one.protocol === 'TCP' && one.port === port),
  );
  return open.flatMap(({ to = [] }) => to.flatMap(({ ipBlock }) => ipBlock?.cidr ?? []));
}

function without(closed: readonly string[], opened: readonly string[]): object[] {
  return closed.flatMap((cidr) => {
    if (opened.some((one) => isWithin(cidr, one))) return [];
    const except = [...new Set(opened.filter((one) => isWithin(one, cidr)))].sort();
    return [except.length === 0 ? { cidr } : { cidr, except }];
  });
}

function isWithin(inner: string, outer: string): boolean {
  const [a, b] = [parseCidr(inner), parseCidr(outer)];
  return a !== undefined && b !== undefined && contains(b, a);
}
