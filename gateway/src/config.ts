// SPDX-License-Identifier: Apache-2.0
import { parseCidr } from '@agenttier/crds/meta/cidr';
import type { AddressRules } from './names/addresses.ts';
import { LIMITS } from './proxy/server.ts';
import type { Limits } from './proxy/server.ts';

export interface GatewayConfig {
  readonly port: number;
  readonly healthPort: number;
  readonly logLevel: string;
  readonly kubeconfig?: string;
  readonly rules: AddressRules;
  readonly limits: Limits;
}

export type Environment = Readonly<Record<string, string | undefined>>;

/** Reads the environment once, at start. Throws an Error that names the variable when a value cannot be used. */
export function readConfig(env: Environment): GatewayConfig {
  return {
    port: whole(env, 'PROXY_PORT', 3128),
    healthPort: whole(env, 'HEALTH_PORT', 8081),
    logLevel: env['LOG_LEVEL'] || 'info',
    ...(env['KUBECONFIG'] ? { kubeconfig: env['KUBECONFIG'] } : {}),
    rules: {
      clusterCidrs: cidrs(env, 'CLUSTER_CIDRS'),
      allowedPrivateCidrs: cidrs(env, 'ALLOWED_PRIVATE_CIDRS'),
    },
    limits: limitsFrom(env),
  };
}

/** Idle and half-open connections come on top of those in use. */
function limitsFrom(env: Environment): Limits {
  const perSandbox = whole(env, 'CONNECTIONS_PER_SANDBOX', LIMITS.perSandbox);
  return { ...LIMITS, perSandbox, perAddress: perSandbox + 64 };
}

function whole(env: Environment, name: string, fallback: number): number {
  const text = env[name] || String(fallback);
  const value = Number(text);
  if (Number.isInteger(value) && value >= 0 && value <= 65_535) return value;
  throw new Error(`${name} is ${JSON.stringify(text)}: a whole number up to 65535 is expected`);
}

function cidrs(env: Environment, name: string): string[] {
  const found = (env[name] ?? '').split(',').flatMap((text) => text.trim() || []);
  const bad = found.find((text) => parseCidr(text) === undefined);
  if (bad !== undefined) throw new Error(`${name} holds ${JSON.stringify(bad)}, which is no address range`);
  return found;
}
