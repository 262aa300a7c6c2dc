// SPDX-License-Identifier: Apache-2.0
import type { GroupNamespaces } from '../namespaces.ts';

/** Whose tokens are taken, and what is read from them. */
export interface OidcSettings {
  /** Byte for byte what tokens say in `iss`. */
  readonly issuer: string;
  /** What tokens must name in `aud`. */
  readonly clientId: string;
  /** Whoever is in this group is an administrator; empty = nobody is. */
  readonly adminGroup: string;
  /** Claim with the groups; dots lead into objects, as in `realm_access.roles`. */
  readonly groupClaim: string;
  /** What clients ask the issuer for. */
  readonly scopes: readonly string[];
  /** Where a sign-in of the dashboard is kept: in the memory of the page, or in cookies that no script reads. */
  readonly session: 'page' | 'cookie';
  /** Takes an issuer without TLS that is not on this machine. */
  readonly allowHttp: boolean;
  /** PEM of authorities of the issuer, beside the usual ones. */
  readonly ca: string | undefined;
}

type Environment = Readonly<Record<string, string | undefined>>;

const LOOPBACK = new Set(['127.0.0.1', '[::1]', 'localhost']);
const DEFAULT_SCOPES = 'openid,profile,email';

/** Reads the issuer's part of the environment; undefined when none is configured. */
export function readOidc(
  env: Environment,
  flag: (name: string) => boolean,
  problems: string[],
): OidcSettings | undefined {
  const issuer = env['OIDC_ISSUER_URL'] ?? '';
  const clientId = env['OIDC_CLIENT_ID'] ?? '';
  const allowHttp = flag('OIDC_ALLOW_HTTP');
  problems.push(...problemsOf(issuer, clientId, allowHttp));
  if (issuer === '') return undefined;
  return {
    issuer,
    clientId,
    allowHttp,
    adminGroup: env['OIDC_ADMIN_GROUP'] ?? 'agenttier-admins',
    groupClaim: env['OIDC_GROUP_CLAIM'] || 'groups',
    scopes: (env['OIDC_SCOPES'] || DEFAULT_SCOPES).split(',').map((scope) => scope.trim()),
    session: readSession(env['OIDC_SESSION'], problems),
    ca: env['OIDC_CA'] || undefined,
  };
}

function readSession(text: string | undefined, problems: string[]): OidcSettings['session'] {
  if (text === undefined || text === '' || text === 'page') return 'page';
  if (text !== 'cookie') problems.push(`OIDC_SESSION "${text}" is neither page nor cookie`);
  return 'cookie';
}

function problemsOf(issuer: string, clientId: string, allowHttp: boolean): string[] {
  if (issuer === '') {
    return clientId === '' ? [] : ['OIDC_CLIENT_ID is set without OIDC_ISSUER_URL: set both or none'];
  }
  const nobodys =
    'OIDC_CLIENT_ID is required beside OIDC_ISSUER_URL: tokens for other programs would be taken';
  const unfit = unfitUrl(issuer, allowHttp);
  return [
    ...(clientId === '' ? [nobodys] : []),
    ...(unfit === undefined ? [] : [`OIDC_ISSUER_URL "${issuer}" ${unfit}`]),
  ];
}

/** Why keys must not be fetched from there; without TLS whoever is on the way could put in a key of their own. */
export function unfitUrl(text: string, allowHttp: boolean): string | undefined {
  if (!URL.canParse(text)) return 'is not a URL; write https://issuer.example';
  const { protocol, hostname, search, hash } = new URL(text);
  if (protocol !== 'https:' && protocol !== 'http:') return 'must begin with https://';
  if (search !== '' || hash !== '') return 'must have neither a query nor a fragment';
  if (protocol === 'https:' || allowHttp || LOOPBACK.has(hostname)) return undefined;
  return 'is without TLS; use https://, or set OIDC_ALLOW_HTTP=true if the way to it is closed to others';
}

const MAPPING = 'OIDC_GROUP_NAMESPACES must be a JSON object of groups, each with a list of namespaces';

/** Reads `{"group": ["namespace"]}`; one namespace may stand without a list. */
export function readGroupNamespaces(text: string | undefined, problems: string[]): GroupNamespaces {
  const value = text === undefined || text.trim() === '' ? {} : parse(text);
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    problems.push(MAPPING);
    return {};
  }
  const mapping: Record<string, readonly string[]> = {};
  for (const [group, given] of Object.entries(value)) {
    const namespaces: unknown = typeof given === 'string' ? [given] : given;
    if (isListOfNames(namespaces)) mapping[group] = namespaces;
    else problems.push(`${MAPPING}; "${group}" has something else`);
  }
  return mapping;
}

const isListOfNames = (value: unknown): value is string[] =>
  Array.isArray(value) && value.every((each) => typeof each === 'string' && each !== '');

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
