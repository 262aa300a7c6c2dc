// SPDX-License-Identifier: Apache-2.0
import { ENFORCEMENTS } from '@agenttier/crds/egress/enforcement';
import type { Enforcement } from '@agenttier/crds/egress/enforcement';
import { parseCidr } from '@agenttier/crds/meta/cidr';
import type { TemplateRef } from '@agenttier/crds/template/compose';
import { readDefaults } from '@agenttier/crds/template/defaults';
import type { ResolveSettings } from '@agenttier/crds/template/merge';

/** The ServiceAccounts of our own parts, as usernames. */
export interface SystemAccounts {
  readonly operator: string;
  readonly router: string;
  readonly webhook: string;
}

/**
 * What to do when nobody can tell whose pod it is. `Ignore` lets the request through with a warning, as a webhook that
 * does not answer does under that failurePolicy: pods of other people's programs are asked about as well.
 */
export type ConnectMode = 'Ignore' | 'strict';

/** Everything the process takes from its environment; docs of each variable live in the chart's values. */
export interface WebhookConfig {
  readonly namespace: string;
  /** Unique per replica: it identifies the lease holder. */
  readonly podName: string;
  readonly webhookPort: number;
  readonly healthPort: number;
  /** Name of the Service in front of the replicas: the certificate is made out to it. */
  readonly service: string;
  /** Name of both the mutating and the validating webhook configuration. */
  readonly configuration: string;
  readonly certSecret: string;
  readonly operatorUsername: string;
  readonly routerUsername: string;
  /** Our own account. */
  readonly webhookUsername: string;
  /** How to answer where nobody can tell whose pod it is. */
  readonly connectMode: ConnectMode;
  /** Ranges that receivers of events may be in although they are not public. */
  readonly notifyAllowedCidrs: readonly string[];
  /** What may hold sandboxes to their names. */
  readonly enforcement: Enforcement;
  readonly logLevel: string;
  readonly settings: ResolveSettings;
  /** Template of sandboxes that name none. */
  readonly defaultTemplate?: TemplateRef;
}

export type Environment = Readonly<Record<string, string | undefined>>;

function required(env: Environment, name: string): string {
  const value = env[name];
  if (value === undefined || value === '') {
    throw new Error(`${name} is not set: the webhook needs it to start`);
  }
  return value;
}

function optional(env: Environment, name: string, fallback: string): string {
  const value = env[name];
  return value === undefined || value === '' ? fallback : value;
}

function port(env: Environment, name: string, fallback: number): number {
  const text = optional(env, name, String(fallback));
  const value = Number(text);
  if (!Number.isInteger(value) || value < 0 || value > 65_535) {
    throw new Error(`${name} is ${JSON.stringify(text)}: a port between 0 and 65535 is expected`);
  }
  return value;
}

function cidrs(env: Environment, name: string): string[] {
  const list = optional(env, name, '')
    .split(',')
    .map((item) => item.trim())
    .filter((item) => item !== '');
  const bad = list.filter((text) => parseCidr(text) === undefined);
  if (bad.length === 0) return list;
  throw new Error(`${name} holds ${bad.join(', ')}: address ranges such as 10.1.0.0/16 are expected`);
}

/** `Kind/name`, or a name alone, which is looked for as any reference without a kind. */
function defaultTemplate(env: Environment): TemplateRef | undefined {
  const text = optional(env, 'DEFAULT_TEMPLATE', '');
  if (text === '') return undefined;
  const [kind, name, ...more] = text.includes('/') ? text.split('/') : [undefined, text];
  const known = kind === undefined || kind === 'SandboxTemplate' || kind === 'ClusterSandboxTemplate';
  if (!known || !name || more.length > 0) {
    throw new Error(
      `DEFAULT_TEMPLATE is ${JSON.stringify(text)}: a name or ClusterSandboxTemplate/<name> is expected`,
    );
  }
  return kind === undefined ? { name } : { kind, name };
}

function connectMode(env: Environment): ConnectMode {
  const text = optional(env, 'CONNECT_MODE', 'Ignore');
  if (text === 'Ignore' || text === 'strict') return text;
  throw new Error(`CONNECT_MODE is ${JSON.stringify(text)}: Ignore or strict is expected`);
}

function enforcement(env: Environment): Enforcement {
  const text = optional(env, 'EGRESS_ENFORCEMENT', 'auto');
  const choice = ENFORCEMENTS.find((one) => one === text);
  if (choice !== undefined) return choice;
  throw new Error(
    `EGRESS_ENFORCEMENT is ${JSON.stringify(text)}: one of ${ENFORCEMENTS.join(', ')} is expected`,
  );
}

/** Reads the environment once, at start. Throws an Error that names the variable when a value cannot be used. */
export function readConfig(env: Environment): WebhookConfig {
  const namespace = optional(env, 'POD_NAMESPACE', 'agenttier');
  const template = defaultTemplate(env);
  return {
    namespace,
    podName: required(env, 'POD_NAME'),
    webhookPort: port(env, 'WEBHOOK_PORT', 9443),
    healthPort: port(env, 'HEALTH_PORT', 8081),
    service: optional(env, 'WEBHOOK_SERVICE', 'agenttier-webhook'),
    configuration: optional(env, 'WEBHOOK_CONFIGURATION', 'agenttier'),
    certSecret: optional(env, 'CERT_SECRET', 'agenttier-webhook-tls'),
    operatorUsername: optional(
      env,
      'OPERATOR_USERNAME',
      `system:serviceaccount:${namespace}:agenttier-operator`,
    ),
    webhookUsername: optional(
      env,
      'WEBHOOK_USERNAME',
      `system:serviceaccount:${namespace}:agenttier-webhook`,
    ),
    routerUsername: optional(env, 'ROUTER_USERNAME', `system:serviceaccount:${namespace}:agenttier-router`),
    connectMode: connectMode(env),
    notifyAllowedCidrs: cidrs(env, 'NOTIFY_ALLOWED_CIDRS'),
    enforcement: enforcement(env),
    logLevel: optional(env, 'LOG_LEVEL', 'info'),
    settings: readDefaults(env),
    ...(template === undefined ? {} : { defaultTemplate: template }),
  };
}
