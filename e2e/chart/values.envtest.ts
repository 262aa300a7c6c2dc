// SPDX-License-Identifier: Apache-2.0
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { chart, render } from './render.ts';
import type { Values } from './render.ts';

/** Every leaf of values.yaml as its path; an empty list or map counts as a leaf. */
function leaves(value: unknown, path: readonly string[] = []): (readonly string[])[] {
  const isBranch = typeof value === 'object' && value !== null && !Array.isArray(value);
  if (!isBranch || Object.keys(value).length === 0) return [path];
  return Object.entries(value).flatMap(([key, child]) => leaves(child, [...path, key]));
}

/** Another value of the same shape that the schema takes. */
const others: Readonly<Record<string, unknown>> = {
  'image.pullPolicy': 'Always',
  imagePullSecrets: [{ name: 'pull' }],
  'auth.oidc.groupNamespaceMapping': { dev: ['team-a'] },
  'auth.oidc.issuerUrl': 'https://other.example',
  'auth.oidc.scopes': ['openid', 'groups'],
  'auth.oidc.session': 'cookie',
  'router.service.type': 'NodePort',
  'webhook.failurePolicy': 'Ignore',
  'webhook.connect.mode': 'strict',
  'webhook.connect.namespaceSelector': { matchLabels: { 'agenttier.io/sandboxes': 'enabled' } },
  'operator.startDeadline': '3m',
  'prepull.images': ['ghcr.io/acme/big:1'],
  'operator.backups.every': '6h',
  'operator.sandboxPullSecrets': ['pull'],
  'operator.clusterCIDRs': ['10.0.0.0/8'],
  'operator.dns.nodeLocalCIDRs': ['169.254.25.10/32'],
  'defaults.network': 'allow-internet',
  'egress.enforcement': 'cilium',
  'gateway.allowedPrivateCIDRs': ['10.9.0.0/16'],
  'networkPolicy.defaultDenyNamespaces': ['team-a'],
  'notifications.allowedCIDRs': ['10.0.0.0/8'],
  'tracing.ratio': 0.5,
  'optional.agentMemorySidecar.image': `mem0@sha256:${'b'.repeat(64)}`,
  'costs.currency': 'EUR',
  'audit.store': 'postgres',
  'router.trustedProxies': ['10.0.0.0/8'],
  'router.corsAllowedOrigins': ['https://console.example'],
  'networking.previewDomain': 'preview.example.com',
  'networking.previewScheme': 'http',
  'router.dashboard.frameAncestors': ['https://portal.example'],
};

function flipped(path: readonly string[], value: unknown): unknown {
  const name = path.join('.');
  if (name in others) return others[name];
  if (name.endsWith('logLevel')) return 'debug';
  if (name.endsWith('nodeSelector')) return { disk: 'fast' };
  if (name.endsWith('tolerations')) return [{ key: 'only', operator: 'Exists' }];
  if (typeof value === 'boolean') return !value;
  if (typeof value === 'number') return value + 3;
  if (/^[0-9]/.test(String(value))) return String(value).replace(/^[0-9]+/, '7');
  return `${String(value)}-other`;
}

const MEMORY = { image: `mem0@sha256:${'a'.repeat(64)}` };

const POSTGRES: Values = { audit: { store: 'postgres', postgres: { secretName: 'database' } } };
const SQLITE: Values = { audit: { store: 'sqlite' }, router: { replicas: 1 } };
const ISSUER: Values = { auth: { oidc: { issuerUrl: 'https://login.example', clientId: 'agenttier' } } };

/** Values that only show beside another one. */
const companions: Readonly<Record<string, Values>> = {
  'sandboxes.priorityClass.value': { sandboxes: { priorityClass: { enabled: true } } },
  'headroom.cpu': { headroom: { replicas: 1 } },
  'headroom.memory': { headroom: { replicas: 1 } },
  'gvisor.handler': { gvisor: { enabled: true } },
  'gvisor.nodeSelector.agenttier.io/runtime': { gvisor: { enabled: true } },
  'gvisor.tolerations': { gvisor: { enabled: true } },
  'optional.agentMemorySidecar.enabled': { optional: { agentMemorySidecar: MEMORY } },
  'optional.agentMemorySidecar.image': { optional: { agentMemorySidecar: { ...MEMORY, enabled: true } } },
  'tracing.ratio': { tracing: { endpoint: 'http://collector.example:4318' } },
  ...Object.fromEntries(
    ['adminGroup', 'groupClaim', 'scopes', 'caBundle', 'allowHttp', 'clientId', 'session'].map((name) => [
      `auth.oidc.${name}`,
      ISSUER,
    ]),
  ),
  'auth.oidc.issuerUrl': ISSUER,
  'audit.store': { audit: { postgres: { secretName: 'database' } } },
  'audit.postgres.secretName': POSTGRES,
  'audit.postgres.secretKey': POSTGRES,
  'audit.sqlite.persistence.enabled': SQLITE,
  'audit.sqlite.persistence.size': SQLITE,
  'audit.sqlite.persistence.storageClass': SQLITE,
  'router.service.nodePort': { router: { service: { type: 'NodePort' } } },
};

const at = (path: readonly string[], leaf: unknown): Values =>
  path.reduceRight<unknown>((child, key) => ({ [key]: child }), leaf) as Values;

const valueAt = (values: unknown, path: readonly string[]): unknown =>
  path.reduce<unknown>((node, key) => (node as Values)[key], values);

function merged(a: Values, b: Values): Values {
  const both = { ...a };
  for (const [key, value] of Object.entries(b)) {
    const mine = both[key];
    const nested =
      typeof mine === 'object' && typeof value === 'object' && mine !== null && !Array.isArray(value);
    both[key] = nested ? merged(mine as Values, value as Values) : value;
  }
  return both;
}

describe('every value of the chart', () => {
  const defaults = parse(readFileSync(join(chart, 'values.yaml'), 'utf8')) as Values;

  it.each(leaves(defaults).map((path) => [path.join('.'), path] as const))(
    '%s changes what is rendered',
    (name, path) => {
      const beside = companions[name] ?? {};
      const other = at(path, flipped(path, valueAt(defaults, path)));
      expect(render(merged(beside, other))).not.toBe(render(beside));
    },
  );

  it('is known to the schema: a misspelt one is refused', () => {
    expect(() => render({ router: { replicaz: 3 } })).toThrow(/replicaz/);
  });

  it('keeps an audit file to one replica', () => {
    expect(() => render({ audit: { store: 'sqlite' } })).toThrow(/replicas/);
    expect(render(SQLITE)).toContain('claimName: agenttier-audit');
  });
});
