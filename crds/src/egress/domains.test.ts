// SPDX-License-Identifier: Apache-2.0
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { coversDomain, hostName, opensHost, parseDomain, readDomains } from './domains.ts';

describe('parseDomain', () => {
  it.each([
    ['api.example.com', { name: 'api.example.com', wildcard: false }],
    ['API.Example.COM.', { name: 'api.example.com', wildcard: false }],
    ['*.example.com', { name: 'example.com', wildcard: true }],
    ['example.com:8443', { name: 'example.com', wildcard: false, port: 8443 }],
    ['xn--bcher-kva.example', { name: 'xn--bcher-kva.example', wildcard: false }],
    ['_acme.example.com', { name: '_acme.example.com', wildcard: false }],
  ])('%s', (text, domain) => {
    expect(parseDomain(text)).toEqual({ ok: true, domain });
  });

  it.each([
    ['https://example.com', /without https/],
    ['example.com/path', /without https/],
    ['*', /whole first label/],
    ['*.com', /top-level/],
    ['a.*.com', /whole first label/],
    ['foo*.example.com', /whole first label/],
    ['localhost', /one label/],
    ['10.0.0.1', /egressRules/],
    ['127.1', /egressRules/],
    ['0x7f.0.0.0x1', /no domain name/],
    ['[::1]', /egressRules/],
    ['::1', /egressRules/],
    ['example.com:0', /port/],
    ['example.com:70000', /port/],
    ['example.com:', /port/],
    ['bücher.example', /xn--/],
    ['a..b', /no domain name/],
    ['-a.example', /no domain name/],
    ['', /no domain name/],
    [`${'a'.repeat(64)}.example`, /no domain name/],
  ])('%s is refused', (text, problem) => {
    expect(parseDomain(text)).toEqual({ ok: false, problem: expect.stringMatching(problem) });
  });
});

describe('opensHost', () => {
  const entries = readDomains(['example.com', '*.example.org', 'git.example.net:22', 'broken/']);
  it.each([
    ['example.com', 443, true],
    ['example.com', 80, true],
    ['example.com', 8443, false],
    ['www.example.com', 443, false],
    ['notexample.com', 443, false],
    ['example.com.evil.test', 443, false],
    ['a.example.org', 443, true],
    ['a.b.example.org', 443, true],
    ['example.org', 443, false],
    ['aexample.org', 443, false],
    ['git.example.net', 22, true],
    ['git.example.net', 443, false],
  ])('%s:%i %s', (host, port, expected) => {
    expect(opensHost(entries, host, port)).toBe(expected);
  });

  it('opens nothing without entries', () => {
    expect(opensHost(readDomains(undefined), 'example.com', 443)).toBe(false);
  });
});

describe('coversDomain', () => {
  const outer = readDomains(['*.example.com', 'packages.example', 'git.example.net:22']);
  it.each([
    ['a.example.com', true],
    ['*.example.com', true],
    ['*.deep.example.com', true],
    ['example.com', false],
    ['*.org', false],
    ['packages.example', true],
    ['packages.example:443', true],
    ['packages.example:8080', false],
    ['*.packages.example', false],
    ['git.example.net:22', true],
    ['git.example.net', false],
  ])('%s %s', (text, expected) => {
    expect(readDomains([text]).some((inner) => coversDomain(outer, inner))).toBe(expected);
  });
});

describe('hostName', () => {
  it('takes no address for a name, whatever its notation', () => {
    const octet = fc.integer({ min: 0, max: 255 });
    const written = (n: number): fc.Arbitrary<string> =>
      fc.constantFrom(String(n), `0x${n.toString(16)}`, `0${n.toString(8)}`);
    const address = fc
      .array(octet.chain(written), { minLength: 1, maxLength: 4 })
      .map((parts) => parts.join('.'));
    fc.assert(fc.property(address, (text) => hostName(text) === undefined));
  });

  it('gives the same for what it gave', () => {
    const text = fc.oneof(fc.domain(), fc.string({ maxLength: 40 }));
    fc.assert(
      fc.property(text, (one) => {
        const name = hostName(one);
        return name === undefined || hostName(name) === name;
      }),
    );
  });
});
