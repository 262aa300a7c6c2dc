// SPDX-License-Identifier: Apache-2.0
import { ENFORCEMENTS } from '@agenttier/crds/egress/enforcement';
import { parseCidr } from '@agenttier/crds/meta/cidr';
import { parseDuration } from '@agenttier/crds/meta/duration';
import { readDefaults } from '@agenttier/crds/template/defaults';
import type { ResolveSettings } from '@agenttier/crds/template/merge';
import type { DnsSettings, EnvironmentSettings, Placement } from './settings.ts';

export interface OperatorConfig {
  /** Unique per replica: it identifies the lease holder. */
  readonly podName: string;
  readonly healthPort: number;
  readonly leaseName: string;
  readonly logLevel: string;
  readonly kubeconfig?: string;
  /** Sandboxes worked on at the same time. */
  readonly workers: number;
  /** Ask a starting pod's runtime directly; off where the operator cannot reach pod addresses. */
  readonly directProbe: boolean;
  readonly notify: NotifyConfig;
  readonly settings: EnvironmentSettings;
}

export interface NotifyConfig {
  /** Ranges that receivers may be in although they are not public. */
  readonly allowedCidrs: readonly string[];
  /** PEM of authorities of receivers, beside the usual ones. */
  readonly extraCa?: string | undefined;
}

export type Environment = Readonly<Record<string, string | undefined>>;

const PULL_POLICIES: readonly string[] = ['Always', 'IfNotPresent', 'Never'];

/**
 * Reads the environment once, at start. Throws one Error that names every variable whose value cannot be used, so that
 * a person corrects all of them in one go.
 */
export function readConfig(env: Environment): OperatorConfig {
  const problems: string[] = [];
  const reader = new Reader(env, problems);
  const config = {
    podName: reader.required('POD_NAME'),
    healthPort: reader.whole('HEALTH_PORT', 8081, 65_535),
    leaseName: reader.text('LEASE_NAME', 'agenttier-operator'),
    logLevel: reader.text('LOG_LEVEL', 'info'),
    workers: reader.whole('WORKERS', 32, 1_000),
    directProbe: reader.flag('DIRECT_PROBE', true),
    ...(env['KUBECONFIG'] ? { kubeconfig: env['KUBECONFIG'] } : {}),
    notify: {
      allowedCidrs: reader.cidrs('NOTIFY_ALLOWED_CIDRS', []),
      extraCa: env['NOTIFY_EXTRA_CA'] || undefined,
    },
    settings: readSettings(reader),
  };
  if (problems.length > 0) throw new Error(`the operator cannot start: ${problems.join('; ')}`);
  return config;
}

function readSettings(reader: Reader): EnvironmentSettings {
  return {
    installNamespace: reader.text('POD_NAMESPACE', 'agenttier'),
    runtimeImage: reader.required('RUNTIME_IMAGE'),
    runtimePullPolicy: reader.oneOf('IMAGE_PULL_POLICY', 'IfNotPresent', PULL_POLICIES),
    imageVolume: reader.flag('IMAGE_VOLUME', false),
    pullSecrets: reader.list('SANDBOX_PULL_SECRETS'),
    placement: readPlacement(reader),
    prepull: { enabled: reader.flag('PREPULL', false), images: reader.list('PREPULL_IMAGES') },
    dns: readDns(reader),
    clusterCidrs: reader.cidrs('CLUSTER_CIDRS', []),
    egress: {
      enforcement: reader.oneOf('EGRESS_ENFORCEMENT', 'auto', ENFORCEMENTS),
      privateCidrs: reader.cidrs('EGRESS_PRIVATE_CIDRS', []),
    },
    backups: {
      everyMs: reader.duration('BACKUP_EVERY', '0'),
      keep: reader.whole('BACKUP_KEEP', 7, 1_000) || 1,
      snapshotClass: reader.text('SNAPSHOT_CLASS', '') || undefined,
    },
    resolve: reader.defaults(),
    startDeadlineMs: reader.duration('START_DEADLINE', '10m'),
    userNamespaces: reader.flag('USER_NAMESPACES', false),
    gracePeriodMs: reader.duration('GRACE_PERIOD', '5m'),
    // The runtime keeps 64 KiB; more there never is.
    installLogBytes: reader.whole('INSTALL_LOG_KIB', 8, 64) * 1024,
  };
}

function readPlacement(reader: Reader): Placement {
  return {
    nodeSelector: reader.labels('SANDBOX_NODE_SELECTOR', {}),
    tolerations: reader.objects('SANDBOX_TOLERATIONS'),
    priorityClass: reader.text('SANDBOX_PRIORITY_CLASS', ''),
  };
}

/** The usual names of cluster DNS, and the address that node-local caches use by convention. */
function readDns(reader: Reader): DnsSettings {
  return {
    namespace: reader.text('DNS_NAMESPACE', 'kube-system'),
    podLabels: reader.labels('DNS_POD_LABELS', { 'k8s-app': 'kube-dns' }),
    nodeLocal: reader.cidrs('DNS_NODE_LOCAL', ['169.254.20.10/32']),
  };
}

class Reader {
  readonly #env: Environment;
  readonly #problems: string[];

  constructor(env: Environment, problems: string[]) {
    this.#env = env;
    this.#problems = problems;
  }

  text(name: string, fallback: string): string {
    return this.#env[name] || fallback;
  }

  required(name: string): string {
    return this.#env[name] || this.#wrong(`${name} is not set`, '');
  }

  oneOf<T extends string>(name: string, fallback: T, choices: readonly T[]): T {
    const value = this.text(name, fallback);
    const choice = choices.find((one) => one === value);
    return choice !== undefined
      ? choice
      : this.#wrong(`${name} must be one of ${choices.join(', ')}`, fallback);
  }

  whole(name: string, fallback: number, max: number): number {
    const value = Number(this.text(name, String(fallback)));
    const good = Number.isInteger(value) && value >= 0 && value <= max;
    return good ? value : this.#wrong(`${name} must be a whole number up to ${max}`, fallback);
  }

  flag(name: string, fallback: boolean): boolean {
    const value = this.text(name, String(fallback));
    return value === 'true' || value === 'false'
      ? value === 'true'
      : this.#wrong(`${name} must be true or false`, fallback);
  }

  defaults(): ResolveSettings {
    try {
      return readDefaults(this.#env);
    } catch (error) {
      return this.#wrong((error as Error).message, {});
    }
  }

  duration(name: string, fallback: string): number {
    const value = parseDuration(this.text(name, fallback));
    return value ?? this.#wrong(`${name} must be a duration such as 10m, or 0 for none`, 0);
  }

  list(name: string): string[] {
    return this.text(name, '')
      .split(',')
      .map((item) => item.trim())
      .filter((item) => item !== '');
  }

  cidrs(name: string, fallback: readonly string[]): readonly string[] {
    const found = this.list(name);
    const bad = found.filter((text) => parseCidr(text) === undefined);
    if (bad.length > 0) this.#wrong(`${name} holds ${bad.join(', ')}, which is no address range`, undefined);
    return found.length > 0 ? found : fallback;
  }

  labels(name: string, fallback: Readonly<Record<string, string>>): Readonly<Record<string, string>> {
    const text = this.#env[name];
    if (!text) return fallback;
    const parsed = parseJson(text);
    const good =
      typeof parsed === 'object' &&
      parsed !== null &&
      Object.values(parsed).every((value) => typeof value === 'string');
    return good
      ? (parsed as Record<string, string>)
      : this.#wrong(`${name} must be a JSON object of texts`, fallback);
  }

  objects(name: string): readonly object[] {
    const text = this.#env[name];
    const parsed = text ? parseJson(text) : [];
    const good = Array.isArray(parsed) && parsed.every((one) => typeof one === 'object' && one !== null);
    return good ? (parsed as object[]) : this.#wrong(`${name} must be a JSON list of objects`, []);
  }

  #wrong<T>(problem: string, value: T): T {
    this.#problems.push(problem);
    return value;
  }
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
