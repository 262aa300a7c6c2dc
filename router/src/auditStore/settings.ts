// SPDX-License-Identifier: Apache-2.0

export interface AuditSettings {
  /** `events`: what the cluster remembers by itself. */
  readonly store: 'events' | 'sqlite' | 'postgres';
  readonly sqlitePath: string;
  /** Holds a password: it comes from a Secret and goes nowhere. */
  readonly postgresUrl: string;
  /** How long rows are kept. */
  readonly retentionMs: number;
}

type Environment = Readonly<Record<string, string | undefined>>;

const DAY_MS = 24 * 3_600_000;

export function readAudit(env: Environment, problems: string[]): AuditSettings {
  const store = env['AUDIT_STORE'] || 'events';
  const postgresUrl = env['AUDIT_POSTGRES_URL'] ?? '';
  if (store !== 'events' && store !== 'sqlite' && store !== 'postgres') {
    problems.push(`AUDIT_STORE "${store}" is none of events, sqlite, postgres`);
  }
  if (store === 'postgres' && !isDatabaseUrl(postgresUrl)) {
    problems.push(
      'AUDIT_POSTGRES_URL must be postgres://user:password@host:port/database beside AUDIT_STORE=postgres',
    );
  }
  return {
    store: store as AuditSettings['store'],
    sqlitePath: env['AUDIT_SQLITE_PATH'] || '/var/lib/agenttier/audit.db',
    postgresUrl,
    retentionMs: readDays(env['AUDIT_RETENTION_DAYS'], problems) * DAY_MS,
  };
}

/** As the driver reads it, where a URL without a host names a socket. A problem never quotes it: it has the password. */
const isDatabaseUrl = (text: string): boolean =>
  /^postgres(ql)?:\/\//.test(text) && (URL.canParse(text) || URL.canParse(text.replace('@/', '@socket/')));

function readDays(text: string | undefined, problems: string[]): number {
  if (text === undefined || text === '') return 90;
  const days = Number(text);
  if (Number.isInteger(days) && days >= 1 && days <= 3650) return days;
  problems.push(`AUDIT_RETENTION_DAYS "${text}" is not a whole number from 1 to 3650`);
  return 90;
}
