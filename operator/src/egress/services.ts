// SPDX-License-Identifier: Apache-2.0
import { listsDomains } from '@agenttier/crds/egress/enforcement';
import type { Sandbox } from '@agenttier/crds/generated/types';
import { contains, isPrivate, METADATA_SERVICES, parseCidr } from '@agenttier/crds/meta/cidr';
import { ANNOTATION_ALLOW_SANDBOXES } from '@agenttier/crds/meta/labels';
import { GATEWAY_SERVICE } from '@agenttier/crds/egress/gateway';
import type { KubeObject } from '@agenttier/machinery/kube/resource';
import type { EndpointSlice, NetworkPeer, NetworkPort, Service, ServicePort } from '../core.ts';
import type { EffectiveNetwork } from '../sandbox/effective.ts';

const SERVICE_NAME = 'kubernetes.io/service-name';
/** Slices of Services without a selector: those that Kubernetes makes from selectors carry this value. */
export const SLICES_BY_HAND = 'endpointslice.kubernetes.io/managed-by!=endpointslice-controller.k8s.io';

export interface ServiceRef {
  readonly name: string;
  readonly namespace?: string;
  readonly port?: number;
}

/** Pods, or addresses, that a Service leads to, with the ports on their side. */
export interface Endpoints {
  readonly peers: readonly NetworkPeer[];
  readonly ports: readonly NetworkPort[];
}

/** What a reference opens, or why it opens nothing: a sentence for the person who wrote it. */
export type Destination =
  | { readonly ok: true; readonly endpoints: readonly Endpoints[] }
  | { readonly ok: false; readonly problem: string };

export interface ServiceLookup {
  readonly service: (namespace: string, name: string) => Service | undefined;
  readonly slices: (namespace: string, name: string) => readonly EndpointSlice[];
  /** Whether the policy lets sandboxes reach public addresses. */
  readonly publicAllowed: boolean;
}

/** Names a reference within the facts about one sandbox. */
export const refKey = (ref: ServiceRef): string => `${ref.namespace ?? ''}/${ref.name}:${ref.port ?? ''}`;

export function refsOf(network: EffectiveNetwork | undefined): ServiceRef[] {
  const rules = [...(network?.egressRules ?? []), ...(network?.ingressRules ?? [])];
  return rules.flatMap(({ serviceRef }) => serviceRef ?? []);
}

/** Index: `namespace/name` of each Service that the sandbox's effective rules name; the gateway's plain name if it needs that. */
export function servicesOfSandbox({ spec, metadata }: Sandbox): string[] {
  const effective = spec?.resolved?.spec ?? {};
  const named = refsOf(effective.network).map(
    ({ namespace, name }) => `${namespace || metadata.namespace}/${name}`,
  );
  return listsDomains(effective) ? [...named, GATEWAY_SERVICE] : named;
}

/** Index: the Service of a slice. */
export function serviceOfSlice({ metadata }: EndpointSlice): string[] {
  const name = metadata.labels?.[SERVICE_NAME];
  return name === undefined ? [] : [`${metadata.namespace}/${name}`];
}

/** Of other people's Services only what a rule is made from is kept in memory. */
export function leanService(object: KubeObject): KubeObject {
  const { metadata, spec } = object as Service;
  const { name, namespace, uid, resourceVersion } = metadata;
  const access = metadata.annotations?.[ANNOTATION_ALLOW_SANDBOXES];
  const annotations = access === undefined ? {} : { [ANNOTATION_ALLOW_SANDBOXES]: access };
  const { type, clusterIP, selector, ports } = spec ?? {};
  const kept = { type, clusterIP, selector, ports };
  return { metadata: { name, namespace, uid, resourceVersion, annotations }, spec: kept } as KubeObject;
}

/**
 * What a reference of a sandbox in `home` leads to. A Service of another namespace is a matter of whoever runs it: it has
 * to name the namespace in an annotation. That it does not, and that it does not exist, is one answer, so that nobody
 * finds out names by asking.
 */
export function destinationOf(ref: ServiceRef, home: string, lookup: ServiceLookup): Destination {
  const namespace = ref.namespace || home;
  const service = lookup.service(namespace, ref.name);
  const named = `Service ${namespace}/${ref.name}`;
  if (namespace === home) return service ? within(service, ref, lookup) : no(`${named} does not exist`);
  if (service !== undefined && admits(service, home)) return within(service, ref, lookup);
  return no(
    `${named} does not exist, or lacks the annotation ${ANNOTATION_ALLOW_SANDBOXES} with ${home} or *`,
  );
}

function within({ metadata, spec = {} }: Service, ref: ServiceRef, lookup: ServiceLookup): Destination {
  const named = `Service ${metadata.namespace}/${metadata.name}`;
  if (spec.type === 'ExternalName') return no(`${named} is an alias of a name elsewhere: use cidr`);
  const ports = chosenPorts(spec.ports, ref.port);
  if (ports.length === 0) return no(`${named} has no port ${ref.port ?? ''}`.trimEnd());
  const endpoints = endpointsBehind({ metadata, spec }, ports, lookup);
  return endpoints.length > 0 ? { ok: true, endpoints } : no(`${named} has no address that may be reached`);
}

function endpointsBehind(
  { metadata, spec }: Service,
  ports: readonly ServicePort[],
  lookup: ServiceLookup,
): Endpoints[] {
  const { namespace = '', name = '' } = metadata;
  const selector = spec?.selector ?? {};
  if (Object.keys(selector).length > 0) return [ofSelector(namespace, selector, ports)];
  const slices = lookup.slices(namespace, name);
  return slices.flatMap((slice) => ofSlice(slice, ports, lookup.publicAllowed));
}

const chosenPorts = (ports: readonly ServicePort[] = [], only: number | undefined): ServicePort[] =>
  ports.filter(({ port }) => only === undefined || port === only);

const no = (problem: string): Destination => ({ ok: false, problem });

function admits({ metadata }: Service, namespace: string): boolean {
  const entries = (metadata.annotations?.[ANNOTATION_ALLOW_SANDBOXES] ?? '').split(',');
  return entries.some((entry) => entry.trim() === '*' || entry.trim() === namespace);
}

function ofSelector(
  namespace: string,
  matchLabels: Readonly<Record<string, string>>,
  ports: readonly ServicePort[],
): Endpoints {
  const namespaceSelector = { matchLabels: { 'kubernetes.io/metadata.name': namespace } };
  return {
    peers: [{ namespaceSelector, podSelector: { matchLabels } }],
    ports: ports.map(({ protocol, port, targetPort }) => portOf(protocol, targetPort || port)),
  };
}

/** Without a selector somebody wrote the addresses; the slice's port of the same name is the one on their side. */
function ofSlice(slice: EndpointSlice, ports: readonly ServicePort[], publicAllowed: boolean): Endpoints[] {
  const wanted = new Set(ports.map(({ name }) => name ?? ''));
  const theirs = (slice.ports ?? []).filter(({ name, port }) => port !== undefined && wanted.has(name ?? ''));
  const addresses = (slice.endpoints ?? []).flatMap((endpoint) => endpoint.addresses);
  const open = [...new Set(addresses)].sort().flatMap((address) => block(address, publicAllowed));
  if (open.length === 0 || theirs.length === 0) return [];
  return [{ peers: open, ports: theirs.map(({ protocol, port = 0 }) => portOf(protocol, port)) }];
}

const portOf = (protocol: string | undefined, port: number | string): NetworkPort => ({
  protocol: protocol ?? 'TCP',
  port,
});

/** Never reachable through a Service, whoever wrote its addresses: the node itself, link-local, metadata services. */
const CLOSED = ['0.0.0.0/8', '127.0.0.0/8', '169.254.0.0/16', '::1/128', 'fe80::/10', ...METADATA_SERVICES];

function block(address: string, publicAllowed: boolean): NetworkPeer[] {
  const cidr = `${address}/${address.includes(':') ? 128 : 32}`;
  const range = parseCidr(cidr);
  if (range === undefined) return [];
  const closed = CLOSED.some((text) => {
    const other = parseCidr(text);
    return other !== undefined && contains(other, range);
  });
  return closed || (!publicAllowed && !isPrivate(range)) ? [] : [{ ipBlock: { cidr } }];
}
