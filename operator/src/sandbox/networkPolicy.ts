// SPDX-License-Identifier: Apache-2.0
import { listsDomains } from '@agenttier/crds/egress/enforcement';
import { GATEWAY_PORT } from '@agenttier/crds/egress/gateway';
import type { EffectiveSpec } from '@agenttier/crds/generated/types';
import { canonicalJson } from '@agenttier/crds/meta/canonical';
import { contains, METADATA_SERVICES, parseCidr } from '@agenttier/crds/meta/cidr';
import type { Cidr } from '@agenttier/crds/meta/cidr';
import {
  APP_NAME,
  COMPONENT_GATEWAY,
  COMPONENT_OPERATOR,
  COMPONENT_ROUTER,
  LABEL_APP_NAME,
  LABEL_COMPONENT,
  LABEL_MANAGED,
  LABEL_SANDBOX_UID,
} from '@agenttier/crds/meta/labels';
import { networkPolicyName } from '@agenttier/crds/meta/names';
import { NO_FACTS } from '../egress/facts.ts';
import type { NetworkFacts } from '../egress/facts.ts';
import { NOT_INTERNET } from '../egress/ranges.ts';
import { refKey } from '../egress/services.ts';
import type { Endpoints, ServiceRef } from '../egress/services.ts';
import type { EgressRule, IngressRule, IpBlock, NetworkPeer, NetworkPolicy, NetworkPort } from '../core.ts';
import type { DnsSettings, Settings } from '../settings.ts';
import type { EffectiveNetwork, NetworkRule } from './effective.ts';
import { hasOwnedMeta, ownedMeta, partsName } from './ownership.ts';
import type { Identity } from './ownership.ts';
import { RUNTIME_PORT } from '@agenttier/crds/sandbox/ports';

const ANYWHERE = ['0.0.0.0/0', '::/0'];

/**
 * The sandbox's only network opening: everything not written here is closed in both directions. Every part is always
 * evaluated, so that one setting never makes another one silently disappear.
 */
export function buildNetworkPolicy(
  owner: Identity,
  spec: EffectiveSpec,
  settings: Settings,
  facts: NetworkFacts = NO_FACTS,
): NetworkPolicy {
  const network = spec.network ?? {};
  return {
    metadata: ownedMeta(owner, networkPolicyName(partsName(owner))),
    spec: {
      podSelector: { matchLabels: { [LABEL_SANDBOX_UID]: owner.uid } },
      policyTypes: ['Ingress', 'Egress'],
      ingress: [
        controlPlaneIngress(settings),
        ...(network.ingressRules ?? []).flatMap((rule) => ingressRule(rule, facts)),
        ...peers(network).map((peer) => ({ from: [peer] })),
      ],
      egress: [
        ...namesEgress(spec, settings, facts),
        ...(network.allowInternet === true ? [internetEgress(settings.clusterCidrs)] : []),
        ...(network.egressRules ?? []).flatMap((rule) => egressRule(rule, facts)),
        ...peers(network).map((peer) => ({ to: [peer] })),
      ],
    },
  };
}

export const networkPolicyMatches = (live: NetworkPolicy, desired: NetworkPolicy): boolean =>
  hasOwnedMeta(live, desired) && canonicalJson(normal(live)) === canonicalJson(normal(desired));

/** The API server leaves empty lists out; a policy without a list and one with an empty list mean the same. */
const normal = ({ spec }: NetworkPolicy): unknown => ({
  ...spec,
  ingress: spec.ingress ?? [],
  egress: spec.egress ?? [],
});

/** Router (terminals, exec) and operator (readiness) reach the runtime; nobody else in the cluster does. */
function controlPlaneIngress(settings: Settings): IngressRule {
  const namespaceSelector = { matchLabels: { 'kubernetes.io/metadata.name': settings.installNamespace } };
  const from = [COMPONENT_ROUTER, COMPONENT_OPERATOR].map((component): NetworkPeer => {
    const matchLabels = { [LABEL_APP_NAME]: APP_NAME, [LABEL_COMPONENT]: component };
    return { namespaceSelector, podSelector: { matchLabels } };
  });
  return { from, ports: [{ protocol: 'TCP', port: RUNTIME_PORT }] };
}

function dnsEgress(dns: DnsSettings): EgressRule {
  const namespaceSelector = { matchLabels: { 'kubernetes.io/metadata.name': dns.namespace } };
  const resolver: NetworkPeer = { namespaceSelector, podSelector: { matchLabels: dns.podLabels } };
  const caches = dns.nodeLocal.map((cidr): NetworkPeer => ({ ipBlock: { cidr } }));
  return {
    to: [resolver, ...caches],
    ports: [
      { protocol: 'UDP', port: 53 },
      { protocol: 'TCP', port: 53 },
    ],
  };
}

/**
 * How names become addresses. With Cilium that is all in its own policy, where it sees each question. The gateway is open
 * only while it, and nothing else, is what enforces.
 */
function namesEgress(spec: EffectiveSpec, settings: Settings, { enforcer }: NetworkFacts): EgressRule[] {
  if (!listsDomains(spec)) return [dnsEgress(settings.dns)];
  const by = enforcer?.by ?? 'gateway';
  if (by === 'cilium') return [];
  const dns = needsNames(spec) ? [dnsEgress(settings.dns)] : [];
  return by === 'gateway' ? [...dns, gatewayEgress(settings)] : dns;
}

/**
 * With names listed, and with nothing else open, there is no address to ask a name for: the gateway resolves. So the
 * cluster's DNS is closed as well, which would carry data out inside of questions.
 */
export function needsNames({ network = {} }: EffectiveSpec): boolean {
  return (network.egressRules ?? []).length > 0 || network.allowPeerSandboxes === true;
}

function gatewayEgress({ installNamespace }: Settings): EgressRule {
  const namespaceSelector = { matchLabels: { 'kubernetes.io/metadata.name': installNamespace } };
  const matchLabels = { [LABEL_APP_NAME]: APP_NAME, [LABEL_COMPONENT]: COMPONENT_GATEWAY };
  return {
    to: [{ namespaceSelector, podSelector: { matchLabels } }],
    ports: [{ protocol: 'TCP', port: GATEWAY_PORT }],
  };
}

function internetEgress(clusterCidrs: readonly string[]): EgressRule {
  const closed = [...NOT_INTERNET, ...clusterCidrs];
  return { to: ANYWHERE.flatMap((cidr) => openBlock(cidr, closed)).map((ipBlock) => ({ ipBlock })) };
}

function egressRule(rule: NetworkRule, facts: NetworkFacts): EgressRule[] {
  if (rule.serviceRef !== undefined) {
    return endpointsOf(rule.serviceRef, facts).map(({ peers, ports }) => ({ to: peers, ports }));
  }
  const to = openBlock(rule.cidr, METADATA_SERVICES).map((ipBlock) => ({ ipBlock }));
  return to.length === 0 ? [] : [{ to, ...portsOf(rule) }];
}

/** Through a Service: what stands behind it may connect to the sandbox, on the rule's own ports. */
function ingressRule(rule: NetworkRule, facts: NetworkFacts): IngressRule[] {
  if (rule.serviceRef !== undefined) {
    return endpointsOf(rule.serviceRef, facts).map(({ peers }) => ({ from: peers, ...portsOf(rule) }));
  }
  const from = openBlock(rule.cidr, []).map((ipBlock) => ({ ipBlock }));
  return from.length === 0 ? [] : [{ from, ...portsOf(rule) }];
}

/** A Service that is not there opens nothing; it is looked at again when it comes. */
function endpointsOf(ref: ServiceRef, { destinations }: NetworkFacts): readonly Endpoints[] {
  const destination = destinations[refKey(ref)];
  return destination?.ok === true ? destination.endpoints : [];
}

/**
 * The range with the closed parts cut out; nothing when it is unreadable or lies wholly in a closed part. A rule
 * without a peer means anywhere in Kubernetes, so one that lost its range is dropped rather than sent without it.
 */
function openBlock(cidr: string | undefined, closed: readonly string[]): IpBlock[] {
  const range = cidr === undefined ? undefined : parseCidr(cidr);
  if (cidr === undefined || range === undefined) return [];
  const ranges = closed.map((text) => ({ text, range: parseCidr(text) }));
  if (ranges.some((one) => one.range !== undefined && contains(one.range, range))) return [];
  const except = ranges.filter((one) => isPart(range, one.range)).map((one) => one.text);
  return [except.length === 0 ? { cidr } : { cidr, except: [...new Set(except)].sort() }];
}

/** The API server refuses an exception that is not a real part of the range. */
const isPart = (outer: Cidr, inner: Cidr | undefined): boolean =>
  inner !== undefined && contains(outer, inner);

function portsOf(rule: NetworkRule): { ports?: readonly NetworkPort[] } {
  if (rule.ports === undefined || rule.ports.length === 0) return {};
  return { ports: rule.ports.map(({ protocol, port }) => ({ protocol: protocol ?? 'TCP', port })) };
}

/**
 * Other sandboxes of the namespace. Each side's policy must name the other, so two sandboxes talk only when both opted
 * in. Our own label is added last: a selector cannot be used to reach pods that are not sandboxes.
 */
function peers(network: EffectiveNetwork): NetworkPeer[] {
  if (network.allowPeerSandboxes !== true) return [];
  const { matchLabels, matchExpressions } = network.peerSandboxSelector ?? {};
  return [
    {
      podSelector: {
        matchLabels: { ...matchLabels, [LABEL_MANAGED]: 'true' },
        ...(matchExpressions?.length ? { matchExpressions } : {}),
      },
    },
  ];
}
