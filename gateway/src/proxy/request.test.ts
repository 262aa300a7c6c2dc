// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from 'vitest';
import { connectTarget, endToEndHeaders, forwardTarget, peerAddress, podUidIn } from './request.ts';

describe('connectTarget', () => {
  it.each([
    ['example.com:443', { ok: true, target: { host: 'example.com', port: 443 } }],
    ['Example.COM.:443', { ok: true, target: { host: 'example.com', port: 443 } }],
  ])('%s', (url, expected) => {
    expect(connectTarget(url)).toEqual(expected);
  });

  it.each([
    ['10.0.0.1:443', 'address_literal'],
    ['127.1:443', 'address_literal'],
    ['2130706433:443', 'address_literal'],
    ['0x7f000001:443', 'address_literal'],
    ['0177.0.0.1:443', 'address_literal'],
    ['[::1]:443', 'address_literal'],
    ['[::ffff:169.254.169.254]:80', 'address_literal'],
    ['example.com', 'bad_target'],
    ['example.com:0', 'bad_target'],
    ['example.com:99999', 'bad_target'],
    ['user@example.com:443', 'bad_target'],
    ['example.com:443/path', 'bad_target'],
    ['exa mple.com:443', 'bad_target'],
    ['bücher.example:443', 'bad_target'],
    ['', 'bad_target'],
  ])('%s is refused', (url, reason) => {
    expect(connectTarget(url)).toMatchObject({ ok: false, reason });
  });
});

describe('forwardTarget', () => {
  it('takes host, port and path of the URL', () => {
    expect(forwardTarget('http://Example.com/a?b=c#d')).toEqual({
      ok: true,
      target: { host: 'example.com', port: 80 },
      path: '/a?b=c',
    });
    expect(forwardTarget('http://u:p@example.com:8080')).toMatchObject({
      target: { host: 'example.com', port: 8080 },
      path: '/',
    });
  });

  it.each([
    ['/healthz', 'not_a_proxy_request'],
    ['*', 'not_a_proxy_request'],
    ['https://example.com/', 'https_without_connect'],
    ['ftp://example.com/', 'bad_target'],
    ['http://', 'bad_target'],
    ['http://169.254.169.254/latest', 'address_literal'],
    ['http://0xa9fea9fe/latest', 'address_literal'],
    ['http://[fd00:ec2::254]/', 'address_literal'],
  ])('%s is refused', (url, reason) => {
    expect(forwardTarget(url)).toMatchObject({ ok: false, reason });
  });
});

describe('podUidIn', () => {
  const basic = (text: string): string => `Basic ${Buffer.from(text).toString('base64')}`;
  it.each([
    [basic('pod:0d9c-1'), '0d9c-1'],
    [`basic  ${Buffer.from('pod:x').toString('base64')}`, 'x'],
    [basic('root:0d9c'), undefined],
    [basic('pod:'), undefined],
    [basic('pod:a:b'), undefined],
    ['Bearer x', undefined],
    [undefined, undefined],
  ])('%s', (header, expected) => {
    expect(podUidIn(header)).toBe(expected);
  });
});

it('passes on what belongs to the request, not to the connection', () => {
  const raw = [
    'Accept',
    '*/*',
    'Connection',
    'close, X-Mine',
    'X-Mine',
    '1',
    'Proxy-Authorization',
    'Basic x',
  ];
  expect(endToEndHeaders([...raw, 'Cookie', 'a', 'Cookie', 'b', 'Upgrade', 'h2c'])).toEqual([
    'Accept',
    '*/*',
    'Cookie',
    'a',
    'Cookie',
    'b',
  ]);
});

it.each([
  ['::ffff:10.0.0.1', '10.0.0.1'],
  ['10.0.0.1', '10.0.0.1'],
  ['fd00::1', 'fd00::1'],
  [undefined, ''],
])('peer %s', (address, expected) => {
  expect(peerAddress(address)).toBe(expected);
});
