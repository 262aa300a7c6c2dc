// SPDX-License-Identifier: Apache-2.0
import { GATEWAY_PORT, GATEWAY_USER } from '@agenttier/crds/egress/gateway';
import type { Container, EnvVar, PodSpec } from '../core.ts';
import type { Enforcer } from './enforcer.ts';
import { POD_UID } from './proxyMark.ts';

/** Services of the cluster are reached directly, where rules open them. */
const DIRECT = 'localhost,127.0.0.1,::1,.svc,.cluster.local';

/** The pod with what its programs need to reach the names that it lists. */
export function withEnforcer(spec: PodSpec, enforcer: Enforcer | undefined): PodSpec {
  if (enforcer?.by === 'gateway') return withProxy(spec, enforcer.address);
  return enforcer?.by === 'cilium' ? { ...spec, dnsConfig: AS_WRITTEN } : spec;
}

/**
 * Cilium answers questions about names that are not listed with a refusal, at which some resolvers give up. By default they ask
 * for the name with each search domain of the cluster behind it first; this makes them begin with the name itself.
 */
const AS_WRITTEN = { options: [{ name: 'ndots', value: '1' }] };

/**
 * The settings by which programs find the proxy. The password is the pod's uid, which the kubelet fills in: it proves to
 * the gateway that the address it sees has not passed from another pod. What the user sets stays.
 */
function withProxy(spec: PodSpec, address: string): PodSpec {
  const add = (container: Container): Container => ({
    ...container,
    env: [...proxyEnv(address, container.env ?? []), ...(container.env ?? [])],
  });
  return {
    ...spec,
    containers: spec.containers.map(add),
    ...(spec.initContainers ? { initContainers: spec.initContainers.map(add) } : {}),
  };
}

function proxyEnv(address: string, own: readonly EnvVar[]): EnvVar[] {
  const host = address.includes(':') ? `[${address}]` : address;
  const url = `http://${GATEWAY_USER}:$(${POD_UID})@${host}:${GATEWAY_PORT}`;
  // curl reads http_proxy in lower case only, others in upper case only.
  const names = ['HTTPS_PROXY', 'HTTP_PROXY', 'NO_PROXY'].flatMap((name) => [name, name.toLowerCase()]);
  const taken = new Set(own.map(({ name }) => name.toUpperCase()));
  const settings = names.map((name) => ({ name, value: name.toUpperCase() === 'NO_PROXY' ? DIRECT : url }));
  const all = [...settings, { name: 'NODE_USE_ENV_PROXY', value: '1' }];
  return [
    { name: POD_UID, valueFrom: { fieldRef: { fieldPath: 'metadata.uid' } } },
    ...all.filter(({ name }) => !taken.has(name.toUpperCase())),
  ];
}
