// SPDX-License-Identifier: Apache-2.0
import type { EffectiveSpec } from '@agenttier/crds/generated/types';
import { GATEWAY_PORT, GATEWAY_SERVICE, GATEWAY_USER } from '@agenttier/crds/egress/gateway';
import type { Container, EnvVar, PodSpec, Service } from '../core.ts';

/** Whether the sandbox reaches names through the gateway. */
export const usesGateway = ({ network }: Pick<EffectiveSpec, 'network'>): boolean =>
  (network?.allowedDomains ?? []).length > 0 && network?.allowInternet !== true;

/** `missing`: the sandbox needs the gateway, and there is none. */
export type Proxy = { readonly address: string } | 'missing';

/** The gateway's address as it stands in a pod: an IP, so that no name has to be resolved to get there. */
export function proxyOf(
  spec: Pick<EffectiveSpec, 'network'>,
  service: Service | undefined,
): Proxy | undefined {
  if (!usesGateway(spec)) return undefined;
  const address = service?.spec?.clusterIP ?? '';
  return address === '' || address === 'None' ? 'missing' : { address };
}

export const GATEWAY_MISSING = `spec.network.allowedDomains needs the egress gateway: there is no Service ${GATEWAY_SERVICE} (chart value gateway.enabled)`;

/** Services of the cluster are reached directly, where rules open them. */
const DIRECT = 'localhost,127.0.0.1,::1,.svc,.cluster.local';
const POD_UID = 'AGENTTIER_POD_UID';

/**
 * The pod with the settings by which programs find the proxy. The password is the pod's uid, which the kubelet fills in: it
 * proves to the gateway that the address it sees has not passed from another pod. What the user sets stays.
 */
export function withProxy(spec: PodSpec, proxy: Proxy | undefined): PodSpec {
  if (proxy === undefined || proxy === 'missing') return spec;
  const add = (container: Container): Container => ({
    ...container,
    env: [...proxyEnv(proxy.address, container.env ?? []), ...(container.env ?? [])],
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
