// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from 'vitest';
import { ForbiddenAddress, PublicAddresses } from './publicAddress.ts';

const any = new PublicAddresses();

describe('public addresses', () => {
  it.each([
    '0.0.0.0',
    '0.1.2.3',
    '10.1.2.3',
    '100.64.0.1',
    '100.127.255.255',
    '127.0.0.1',
    '127.9.9.9',
    '169.254.169.254',
    '172.16.0.1',
    '172.31.255.255',
    '192.0.0.192',
    '192.168.1.1',
    '198.18.0.1',
    '224.0.0.251',
    '239.1.1.1',
    '255.255.255.255',
    '::',
    '::1',
    '::ffff:10.0.0.1',
    '::ffff:a9fe:a9fe',
    '::7f00:1',
    '64:ff9b::a9fe:a9fe',
    '2002:7f00:1::',
    '2001:0:7f00:1::',
    'fd00::1',
    'fe80::1',
    'ff02::1',
    'not an address',
  ])('are not %s', (address) => {
    expect(any.permits(address)).toBe(false);
  });

  it.each(['1.1.1.1', '100.63.255.255', '172.32.0.1', '2606:4700::1111', '198.20.0.1'])(
    'are %s',
    (address) => {
      expect(any.permits(address)).toBe(true);
    },
  );

  it('may be added by the owner of the network', () => {
    const some = new PublicAddresses(['10.1.0.0/16', 'fd00:1::/32']);
    expect(some.permits('10.1.2.3')).toBe(true);
    expect(some.permits('fd00:1::1')).toBe(true);
    expect(some.permits('10.2.0.1')).toBe(false);
  });

  it.each([
    'localhost',
    'a.localhost',
    'db',
    'x.svc',
    'api.team.svc.cluster.local',
    'metadata.google.internal',
    'x.local.',
    '[::1]',
    '127.0.0.1',
  ])('do not hide behind %s', (host) => {
    expect(any.objection(host)).toBeDefined();
  });
});

describe('the address to dial', () => {
  const answer = (...addresses: string[]): PublicAddresses =>
    new PublicAddresses([], () =>
      Promise.resolve(addresses.map((address) => ({ address, family: address.includes(':') ? 6 : 4 }))),
    );

  it('is the first one that the name leads to, asked for once', async () => {
    let asked = 0;
    const turning = new PublicAddresses([], () => {
      asked++;
      return Promise.resolve([{ address: asked === 1 ? '1.1.1.1' : '127.0.0.1', family: 4 }]);
    });
    expect(await turning.dial('hooks.example.com')).toEqual({ address: '1.1.1.1', family: 4 });
    expect(asked).toBe(1);
  });

  it('is none when any of them is closed, or there is none', async () => {
    await expect(answer('1.1.1.1', '10.0.0.1').dial('hooks.example.com')).rejects.toThrow(ForbiddenAddress);
    await expect(answer().dial('hooks.example.com')).rejects.toThrow(ForbiddenAddress);
    await expect(any.dial('[fd00::1]')).rejects.toThrow(ForbiddenAddress);
    await expect(any.dial('1.1.1.1')).resolves.toEqual({ address: '1.1.1.1', family: 4 });
  });
});
