// SPDX-License-Identifier: Apache-2.0

/** Name of the Service in front of the gateways, in the namespace of the installation. */
export const GATEWAY_SERVICE = 'agenttier-gateway';
/** Where the gateway listens, as a pod and as a Service: a NetworkPolicy names the port of the pod. */
export const GATEWAY_PORT = 3128;
/** User part of the proxy's credentials; the password is the uid of the pod. */
export const GATEWAY_USER = 'pod';
