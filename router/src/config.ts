// SPDX-License-Identifier: Apache-2.0
import { readRates } from './api/analytics/rates.ts';
import type { CostRates } from './api/analytics/rates.ts';
import { readAudit } from './auditStore/settings.ts';
import type { AuditSettings } from './auditStore/settings.ts';
import type { GroupNamespaces } from './auth/namespaces.ts';
import { readGroupNamespaces, readOidc } from './auth/oidc/settings.ts';
import type { OidcSettings } from './auth/oidc/settings.ts';
import type { PreviewSite } from './preview/host.ts';
import { readRateLimits } from './ratelimit/settings.ts';
import type { RateLimits } from './ratelimit/settings.ts';

/** Everything the process takes from outside, checked once at start and handed on as values. */
export interface Config {
  /** Names this replica on its Events. */
  readonly podName: string;
  readonly host: string;
  readonly port: number;
  /** Namespace of the installation: API keys live here. */
  readonly installNamespace: string;
  /** Where a sandbox goes, and is looked for first, when a request names no namespace. */
  readonly sandboxNamespace: string;
  readonly devAuth: boolean;
  /** The issuer whose tokens are taken; absent = API keys only. */
  readonly oidc: OidcSettings | undefined;
  readonly groupNamespaces: GroupNamespaces;
  readonly rateLimits: RateLimits;
  readonly auditing: AuditSettings;
  readonly corsOrigins: readonly string[];
  readonly logLevel: string;
  /** How long requests are still taken after SIGTERM, until the Service has forgotten us. */
  readonly drainDelayMs: number;
  /** How long running requests may take to finish after that. */
  readonly drainMs: number;
  readonly terminalPingMs: number;
  readonly terminalsPerPerson: number;
  /** Of one replica, from one address; 0 limits nothing. */
  readonly terminalsPerAddress: number;
  /** How long a request that wakes a sandbox waits for it to run. */
  readonly wakeMs: number;
  readonly runtimePort: number;
  /** Where previews have origins of their own; undefined = they have none. */
  readonly preview: PreviewSite | undefined;
  /** Folder of the built dashboard; undefined = none is served. */
  readonly pagesFolder: string | undefined;
  /** Origins of pages that may show the dashboard in a frame. */
  readonly frameAncestors: readonly string[];
  /** What sandboxes cost. */
  readonly costs: CostRates;
  readonly kubeconfig: string | undefined;
  readonly kubeContext: string | undefined;
}

export type ConfigResult = { ok: true; config: Config } | { ok: false; problems: string[] };

type Environment = Readonly<Record<string, string | undefined>>;

const LOOPBACK = new Set(['127.0.0.1', '::1', 'localhost']);
const LOG_LEVELS = new Set(['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent']);

/** Reads the environment. Every problem is reported at once, each naming its variable and the remedy. */
export function readConfig(env: Environment): ConfigResult {
  const problems: string[] = [];
  const seconds = (name: string, range: Range): number => readNumber(env, name, range, problems) * 1000;
  const config: Config = {
    ...readAddress(textOf(env, 'LISTEN_ADDR', ':8080'), problems),
    podName: textOf(env, 'POD_NAME', 'router'),
    installNamespace: textOf(env, 'POD_NAMESPACE', 'agenttier'),
    sandboxNamespace: textOf(env, 'SANDBOX_NAMESPACE', 'default'),
    devAuth: readFlag(env, 'AGENTTIER_DEV_AUTH', problems),
    oidc: readOidc(env, (name) => readFlag(env, name, problems), problems),
    groupNamespaces: readGroupNamespaces(env['OIDC_GROUP_NAMESPACES'], problems),
    rateLimits: readRateLimits(env, problems),
    auditing: readAudit(env, problems),
    corsOrigins: readOrigins(env, 'CORS_ALLOWED_ORIGINS', problems),
    logLevel: readLevel(textOf(env, 'LOG_LEVEL', 'info'), problems),
    drainDelayMs: seconds('AGENTTIER_DRAIN_DELAY_SECONDS', { fallback: 3, min: 0, max: 60 }),
    drainMs: seconds('AGENTTIER_DRAIN_SECONDS', { fallback: 30, min: 0, max: 600 }),
    terminalPingMs: seconds('AGENTTIER_TERMINAL_PING_SECONDS', { fallback: 30, min: 1, max: 60 }),
    ...readTerminalCaps(env, problems),
    wakeMs: seconds('AGENTTIER_WAKE_SECONDS', { fallback: 60, min: 1, max: 600 }),
    runtimePort: readNumber(env, 'AGENTTIER_RUNTIME_PORT', { fallback: 9000, min: 1, max: 65535 }, problems),
    preview: readPreviewSite(env, problems),
    pagesFolder: env['AGENTTIER_PAGES'] || undefined,
    frameAncestors: readOrigins(env, 'AGENTTIER_FRAME_ANCESTORS', problems),
    costs: readRates(env, problems),
    kubeconfig: env['KUBECONFIG'] || undefined,
    kubeContext: env['AGENTTIER_KUBE_CONTEXT'] || undefined,
  };
  const remote = readFlag(env, 'AGENTTIER_DEV_AUTH_ALLOW_REMOTE', problems);
  if (config.devAuth && !remote && !LOOPBACK.has(config.host)) problems.push(OPEN_DOOR);
  return problems.length > 0 ? { ok: false, problems } : { ok: true, config };
}

const OPEN_DOOR =
  'AGENTTIER_DEV_AUTH lets everybody in as an administrator: listen on loopback only (LISTEN_ADDR=127.0.0.1:8080) ' +
  'or set AGENTTIER_DEV_AUTH_ALLOW_REMOTE=true if the network around this process is closed';

const textOf = (env: Environment, name: string, fallback: string): string => env[name] || fallback;

function readAddress(text: string, problems: string[]): { host: string; port: number } {
  const match = /^(?:\[([0-9a-fA-F:]+)\]|([^:[\]]*)):(\d{1,5})$/.exec(text);
  const port = Number(match?.[3]);
  if (!match || port > 65535) {
    problems.push(`LISTEN_ADDR "${text}" is not host:port; write ":8080" or "127.0.0.1:8080"`);
    return { host: '127.0.0.1', port: 0 };
  }
  return { host: match[1] ?? (match[2] || '0.0.0.0'), port };
}

/** Only the words true and false: a typo must not silently open or close a door. */
function readFlag(env: Environment, name: string, problems: string[]): boolean {
  const text = (env[name] ?? '').trim().toLowerCase();
  if (text === 'true' || text === '1') return true;
  if (text === '' || text === 'false' || text === '0') return false;
  problems.push(`${name} "${text}" is neither true nor false`);
  return false;
}

interface Range {
  readonly fallback: number;
  readonly min: number;
  readonly max: number;
}

function readNumber(env: Environment, name: string, range: Range, problems: string[]): number {
  const text = env[name];
  if (text === undefined || text === '') return range.fallback;
  const value = Number(text);
  if (Number.isInteger(value) && value >= range.min && value <= range.max) return value;
  problems.push(`${name} "${text}" is not a whole number from ${range.min} to ${range.max}`);
  return range.fallback;
}

function readTerminalCaps(
  env: Environment,
  problems: string[],
): Pick<Config, 'terminalsPerPerson' | 'terminalsPerAddress'> {
  const perPerson = { fallback: 50, min: 1, max: 10_000 };
  const perAddress = { fallback: 0, min: 0, max: 100_000 };
  return {
    terminalsPerPerson: readNumber(env, 'AGENTTIER_TERMINALS_PER_USER', perPerson, problems),
    terminalsPerAddress: readNumber(env, 'AGENTTIER_TERMINALS_PER_ADDRESS', perAddress, problems),
  };
}

function readLevel(text: string, problems: string[]): string {
  if (LOG_LEVELS.has(text)) return text;
  problems.push(`LOG_LEVEL "${text}" is not one of ${[...LOG_LEVELS].join(', ')}`);
  return 'info';
}

const DOMAIN = /^(?=.{1,180}$)[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?(\.[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?)+$/;

function readPreviewSite(env: Environment, problems: string[]): PreviewSite | undefined {
  const domain = textOf(env, 'AGENTTIER_PREVIEW_DOMAIN', '');
  const scheme = textOf(env, 'AGENTTIER_PREVIEW_SCHEME', 'https');
  const port = readNumber(env, 'AGENTTIER_PREVIEW_PORT', { fallback: 0, min: 0, max: 65_535 }, problems);
  if (scheme !== 'http' && scheme !== 'https') {
    problems.push(`AGENTTIER_PREVIEW_SCHEME "${scheme}" is neither http nor https`);
    return undefined;
  }
  if (domain === '') return undefined;
  if (!DOMAIN.test(domain)) {
    problems.push(
      `AGENTTIER_PREVIEW_DOMAIN "${domain}" is not a domain; write one such as preview.example.com`,
    );
  }
  return { domain, scheme, ...(port === 0 ? {} : { port }) };
}

function readOrigins(env: Environment, name: string, problems: string[]): string[] {
  const origins = (env[name] ?? '')
    .split(',')
    .map((origin) => origin.trim())
    .filter((origin) => origin !== '');
  for (const origin of origins) {
    if (!URL.canParse(origin) || new URL(origin).origin !== origin) {
      problems.push(`${name} "${origin}" is not an origin; write scheme://host[:port] without a path`);
    }
  }
  return origins;
}
