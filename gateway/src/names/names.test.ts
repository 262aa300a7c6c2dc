// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from 'vitest';
import { addressFilter } from './addresses.ts';
import { createResolve } from './resolve.ts';

const NONE = { clusterCidrs: [], allowedPrivateCidrs: [] };

describe('addressFilter', () => {
  const open = addressFilter(NONE);
  it.each([
    ['1.1.1.1', true],
    ['2606:4700::1111', true],
    ['10.1.2.3', false],
    ['172.31.0.1', false],
    ['192.168.1.1', false],
    ['100.64.0.1', false],
    ['127.0.0.53', false],
    ['169.254.169.254', false],
    ['168.63.129.16', false],
    ['0.0.0.0', false],
    ['224.0.0.1', false],
    ['255.255.255.255', false],
    ['198.18.0.1', false],
    ['::1', false],
    ['::', false],
    ['fe80::1', false],
    ['fd00:ec2::254', false],
    ['::ffff:10.0.0.1', false],
    ['64:ff9b::a00:1', false],
    ['2002:a00:1::', false],
    ['2001:0:a00:1::', false],
    ['nonsense', false],
  ])('%s %s', (address, expected) => {
    expect(open(address)).toBe(expected);
  });

  it('closes ranges of the cluster, and opens private ones by explicit setting, metadata services never', () => {
    const own = addressFilter({
      clusterCidrs: ['34.118.224.0/20'],
      allowedPrivateCidrs: ['10.20.0.0/16', '169.254.0.0/16', '34.118.230.0/24'],
    });
    expect(['34.118.224.1', '10.20.3.4', '10.21.0.1', '169.254.169.254', '34.118.230.9'].map(own)).toEqual([
      false,
      true,
      false,
      false,
      true,
    ]);
  });
});

describe('createResolve', () => {
  const answers = (four: string[] | Error, six: string[] | Error = new Error('ENODATA')) =>
    createResolve(
      {
        resolve4: async () => (four instanceof Error ? Promise.reject(four) : four),
        resolve6: async () => (six instanceof Error ? Promise.reject(six) : six),
      },
      addressFilter(NONE),
    )('example.com');

  it.each([
    ['public answers', ['1.1.1.1'], ['2606:4700::1'], { ok: true, addresses: ['1.1.1.1', '2606:4700::1'] }],
    ['private ones among them', ['10.0.0.1', '1.1.1.1'], [], { ok: true, addresses: ['1.1.1.1'] }],
    ['only private ones', ['10.0.0.1'], ['::1'], { ok: false, reason: 'address_closed' }],
    ['none', new Error('ENOTFOUND'), new Error('ENOTFOUND'), { ok: false, reason: 'name_not_found' }],
    ['one kind only', new Error('ESERVFAIL'), ['2606:4700::1'], { ok: true, addresses: ['2606:4700::1'] }],
  ])('%s', async (_name, four, six, expected) => {
    expect(await answers(four, six)).toEqual(expected);
  });
});
