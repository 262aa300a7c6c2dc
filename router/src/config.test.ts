// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from 'vitest';
import { readConfig } from './config.ts';

describe('readConfig', () => {
  it('starts with nothing set', () => {
    const result = readConfig({});
    expect(result).toMatchObject({
      ok: true,
      config: {
        host: '0.0.0.0',
        port: 8080,
        installNamespace: 'agenttier',
        sandboxNamespace: 'default',
        devAuth: false,
      },
    });
  });

  const addresses: [text: string, host: string, port: number][] = [
    [':9090', '0.0.0.0', 9090],
    ['127.0.0.1:0', '127.0.0.1', 0],
    ['[::1]:8080', '::1', 8080],
    ['localhost:8080', 'localhost', 8080],
  ];
  it.each(addresses)('listens on %s', (text, host, port) => {
    expect(readConfig({ LISTEN_ADDR: text })).toMatchObject({ ok: true, config: { host, port } });
  });

  const refused: [name: string, env: Record<string, string>, words: RegExp][] = [
    ['an address without a port', { LISTEN_ADDR: '8080' }, /LISTEN_ADDR/],
    ['a port that does not exist', { LISTEN_ADDR: ':70000' }, /LISTEN_ADDR/],
    ['a flag that is no flag', { AGENTTIER_DEV_AUTH: 'yes' }, /AGENTTIER_DEV_AUTH/],
    ['dev mode on all interfaces', { AGENTTIER_DEV_AUTH: 'true' }, /AGENTTIER_DEV_AUTH_ALLOW_REMOTE/],
    ['an origin with a path', { CORS_ALLOWED_ORIGINS: 'https://a.example/x' }, /without a path/],
    ['a preview domain that is a URL', { AGENTTIER_PREVIEW_DOMAIN: 'https://a.example' }, /is not a domain/],
    ['previews over anything else', { AGENTTIER_PREVIEW_SCHEME: 'ftp' }, /neither http nor https/],
    ['any origin', { CORS_ALLOWED_ORIGINS: '*' }, /not an origin/],
    ['a ping that never comes', { AGENTTIER_TERMINAL_PING_SECONDS: '0' }, /from 1 to 60/],
    ['a client without an issuer', { OIDC_CLIENT_ID: 'agenttier' }, /OIDC_ISSUER_URL/],
    ['an issuer without a client', { OIDC_ISSUER_URL: 'https://login.example' }, /OIDC_CLIENT_ID/],
    [
      'an issuer without TLS',
      { OIDC_ISSUER_URL: 'http://login.example', OIDC_CLIENT_ID: 'a' },
      /OIDC_ALLOW_HTTP/,
    ],
    ['an issuer with a query', { OIDC_ISSUER_URL: 'https://login.example?x', OIDC_CLIENT_ID: 'a' }, /query/],
    ['an issuer that is no URL', { OIDC_ISSUER_URL: 'login.example', OIDC_CLIENT_ID: 'a' }, /not a URL/],
    ['a mapping that is no JSON', { OIDC_GROUP_NAMESPACES: 'dev=team' }, /OIDC_GROUP_NAMESPACES/],
    ['a mapping to a number', { OIDC_GROUP_NAMESPACES: '{"dev":[1]}' }, /"dev"/],
    ['an audit store that there is none of', { AUDIT_STORE: 'mysql' }, /AUDIT_STORE/],
    ['an audit database without an address', { AUDIT_STORE: 'postgres' }, /AUDIT_POSTGRES_URL/],
    [
      'an audit database with a password that is not encoded',
      { AUDIT_STORE: 'postgres', AUDIT_POSTGRES_URL: 'postgres://router:pass/word@db/audit' },
      /AUDIT_POSTGRES_URL(?!.*pass\/word)/,
    ],
    ['rows for ever', { AUDIT_RETENTION_DAYS: '0' }, /AUDIT_RETENTION_DAYS/],
    ['a level pino does not know', { LOG_LEVEL: 'loud' }, /LOG_LEVEL/],
  ];
  it.each(refused)('refuses %s', (_name, env, words) => {
    const result = readConfig(env);
    expect(result.ok).toBe(false);
    expect(result.ok ? '' : result.problems.join('\n')).toMatch(words);
  });

  it.each([
    ['over TLS', { OIDC_ISSUER_URL: 'https://login.example' }],
    ['on this machine', { OIDC_ISSUER_URL: 'http://127.0.0.1:9' }],
    ['without TLS when asked', { OIDC_ISSUER_URL: 'http://login.example', OIDC_ALLOW_HTTP: 'true' }],
  ])('takes an issuer %s', (_name, env) => {
    const result = readConfig({
      OIDC_CLIENT_ID: 'agenttier',
      OIDC_GROUP_NAMESPACES: '{"dev":"team"}',
      ...env,
    });
    expect(result).toMatchObject({
      ok: true,
      config: {
        oidc: { issuer: env.OIDC_ISSUER_URL, adminGroup: 'agenttier-admins', groupClaim: 'groups' },
        groupNamespaces: { dev: ['team'] },
      },
    });
  });

  it.each([
    [undefined, 'page'],
    ['cookie', 'cookie'],
  ])('keeps sign-ins where OIDC_SESSION says: %s', (session, kept) => {
    const env = {
      OIDC_ISSUER_URL: 'https://login.example',
      OIDC_CLIENT_ID: 'agenttier',
      OIDC_SESSION: session,
    };
    expect(readConfig(env)).toMatchObject({ ok: true, config: { oidc: { session: kept } } });
    const odd = readConfig({ ...env, OIDC_SESSION: 'cookies' });
    expect(odd.ok ? [] : odd.problems).toEqual(['OIDC_SESSION "cookies" is neither page nor cookie']);
  });

  it('reports every problem at once', () => {
    const result = readConfig({ LISTEN_ADDR: 'x', AGENTTIER_DEV_AUTH: 'yes', LOG_LEVEL: 'loud' });
    expect(result.ok ? [] : result.problems).toHaveLength(3);
  });

  it('allows dev mode on loopback, and elsewhere only when asked twice', () => {
    expect(readConfig({ AGENTTIER_DEV_AUTH: 'true', LISTEN_ADDR: '127.0.0.1:8080' }).ok).toBe(true);
    expect(readConfig({ AGENTTIER_DEV_AUTH: 'true', AGENTTIER_DEV_AUTH_ALLOW_REMOTE: 'true' }).ok).toBe(true);
  });
});
