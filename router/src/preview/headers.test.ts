// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from 'vitest';
import { toBrowser, toSandbox } from './headers.ts';
import type { Seen } from './headers.ts';

const OWN = 'https://3000--box--team.preview.example.com';
const onHost: Seen = {
  localOrigin: 'http://localhost:3000',
  ownOrigin: OWN,
  host: '3000--box--team.preview.example.com',
  scheme: 'https',
  sourceIp: '10.0.0.9',
};
const onPath: Seen = { ...onHost, ownOrigin: undefined, prefix: '/api/v1/sandboxes/box/preview/3000' };

describe('toSandbox', () => {
  it('hands over no credential and nothing that a proxy before us might have been told', () => {
    const given = {
      authorization: 'Bearer secret',
      'x-api-key': 'atk_secret',
      cookie: 'a=1; __Host-agenttier-preview=secret; agenttier-preview=secret; b=2',
      forwarded: 'for=6.6.6.6',
      'x-forwarded-for': '6.6.6.6',
      'x-forwarded-user': 'root',
      'x-real-ip': '6.6.6.6',
      'x-agenttier-scheme': 'https',
      connection: 'keep-alive, X-Hop',
      'x-hop': '1',
      te: 'trailers',
      accept: 'text/html',
    };
    expect(toSandbox(given, onHost)).toEqual({
      accept: 'text/html',
      cookie: 'a=1; b=2',
      'x-forwarded-for': '10.0.0.9',
      'x-forwarded-host': onHost.host,
      'x-forwarded-proto': 'https',
    });
    expect(toSandbox(given, onPath)).toEqual({
      accept: 'text/html',
      'x-forwarded-for': '10.0.0.9',
      'x-forwarded-host': onHost.host,
      'x-forwarded-proto': 'https',
      'x-forwarded-prefix': onPath.prefix,
    });
  });

  it('shows the program its own origin where the browser has the preview’s', () => {
    expect(toSandbox({ origin: OWN, referer: `${OWN}/a?b` }, onHost)).toMatchObject({
      origin: 'http://localhost:3000',
      referer: 'http://localhost:3000/a?b',
    });
    const foreign = { origin: 'https://evil.example', referer: `${OWN}.evil.example/` };
    expect(toSandbox(foreign, onHost)).toMatchObject(foreign);
  });
});

describe('toBrowser', () => {
  it('keeps cookies to the one host, and its own out of the program’s hands', () => {
    const cookies = [
      'sid=1; Path=/; Domain=.preview.example.com; HttpOnly',
      'x=domain; domain = example.com',
      '__Host-agenttier-preview=stolen; Path=/',
      'agenttier-preview=stolen',
    ];
    expect(toBrowser({ 'set-cookie': cookies }, onHost)).toEqual({
      'set-cookie': ['sid=1; Path=/; HttpOnly', 'x=domain'],
    });
    expect(toBrowser({ 'set-cookie': cookies }, onPath)).not.toHaveProperty('set-cookie');
  });

  it.each([
    ['http://localhost:3000/login?a=1', '/login?a=1'],
    ['http://127.0.0.1:3000', '/'],
    ['/login', '/login'],
    ['next', 'next'],
    ['https://example.com/', 'https://example.com/'],
    ['http://localhost:3000.evil.example/', 'http://localhost:3000.evil.example/'],
    ['//evil.example/x', '//evil.example/x'],
  ])('leads a redirect to %s', (location, expected) => {
    expect(toBrowser({ location }, onHost)['location']).toBe(expected);
    const prefixed = expected.startsWith('/') && !expected.startsWith('//');
    expect(toBrowser({ location }, onPath)['location']).toBe(
      prefixed ? `${onPath.prefix}${expected}` : expected,
    );
  });

  it('lets a page on the dashboard’s origin do nothing', () => {
    const given = {
      'content-security-policy': "default-src 'self'",
      'access-control-allow-origin': '*',
      'clear-site-data': '"*"',
      'strict-transport-security': 'max-age=1',
      'service-worker-allowed': '/',
      'content-type': 'text/html',
      'transfer-encoding': 'chunked',
      'x-agenttier-proxied': 'true',
    };
    expect(toBrowser(given, onPath)).toEqual({
      'content-security-policy': "default-src 'self', sandbox",
      'content-type': 'text/html',
      'x-content-type-options': 'nosniff',
      'cache-control': 'no-store',
    });
  });
});
