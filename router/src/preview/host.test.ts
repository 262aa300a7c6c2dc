// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from 'vitest';
import { previewDigest, previewLabel, previewOrigin, readPreviewHost } from './host.ts';

const DOMAIN = 'preview.example.com';
const of = (name: string, namespace = 'team') => ({ name, namespace });

describe('hosts of previews', () => {
  it.each([
    ['short names', of('box'), '3000--box--team'],
    ['names with hyphens', of('my-box-1', 'a-b'), '3000--my-box-1--a-b'],
  ])('name the sandbox: %s', (_what, sandbox, label) => {
    expect(previewLabel(3000, sandbox)).toBe(label);
    expect(readPreviewHost(`${label}.${DOMAIN}:8443`, DOMAIN)).toEqual({ port: 3000, place: sandbox });
    expect(readPreviewHost(`${label}.${DOMAIN}.`.toUpperCase(), DOMAIN)?.place).toEqual(sandbox);
  });

  it.each([
    ['long names', of('a'.repeat(63), 'b'.repeat(63))],
    ['names with the separator in them', of('a--b')],
    ['a namespace with the separator in it', of('a', 'b--team')],
  ])('name a digest of %s', (_what, sandbox) => {
    const digest = previewDigest(sandbox);
    const label = previewLabel(65_535, sandbox);
    expect(label).toBe(`65535--${digest}`);
    expect(label.length).toBeLessThan(64);
    expect(readPreviewHost(`${label}.${DOMAIN}`, DOMAIN)).toEqual({ port: 65_535, place: { digest } });
  });

  it('of two sandboxes are never the same', () => {
    const all = [of('a-b', 'c'), of('a', 'b-c'), of('a--b', 'c'), of('a', 'b--c'), of('a--b--c', 'd')];
    expect(new Set(all.map((sandbox) => previewLabel(80, sandbox))).size).toBe(all.length);
  });

  it('are told from those of anybody else', () => {
    for (const host of [undefined, '', 'example.com', `evil-${DOMAIN}`, `${DOMAIN}.evil.com`, '10.0.0.1']) {
      expect(readPreviewHost(host, DOMAIN), host).toBeUndefined();
    }
  });

  it.each([
    DOMAIN,
    `x.${DOMAIN}`,
    `0--box--team.${DOMAIN}`,
    `70000--box--team.${DOMAIN}`,
    `a.3--b--c.${DOMAIN}`,
  ])('that name nothing stay closed: %s', (host) => {
    expect(readPreviewHost(host, DOMAIN)).toEqual({ port: 0, place: undefined });
  });

  it('make an origin', () => {
    expect(previewOrigin({ domain: DOMAIN, scheme: 'https' }, 80, of('box'))).toBe(
      `https://80--box--team.${DOMAIN}`,
    );
    expect(previewOrigin({ domain: DOMAIN, scheme: 'http', port: 8080 }, 80, of('box'))).toBe(
      `http://80--box--team.${DOMAIN}:8080`,
    );
  });
});
