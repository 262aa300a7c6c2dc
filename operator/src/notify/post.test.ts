// SPDX-License-Identifier: Apache-2.0
import { PublicAddresses } from '@agenttier/machinery/http/publicAddress';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { signaturesOf, startReceiver } from '../testing/receiver.ts';
import type { Receiver } from '../testing/receiver.ts';
import { createPost } from './post.ts';
import { signatureHeaders } from './signature.ts';

let receiver: Receiver;
beforeAll(async () => {
  receiver = await startReceiver();
});
beforeEach(() => {
  receiver.answer = 204;
});
afterAll(() => receiver.close());

const here = ['127.0.0.0/8'];
const body = JSON.stringify({ event: 'sandbox.running' });
const never = new AbortController().signal;

describe('a message', () => {
  it('arrives with signatures that the key proves', async () => {
    const post = createPost({ addresses: new PublicAddresses(here), extraCa: receiver.ca });
    const headers = signatureHeaders({
      key: Buffer.from('0123456789abcdef'),
      body,
      id: 'd-1',
      timestamp: 1_700_000_000,
    });
    expect(await post({ url: receiver.url, body, headers }, never)).toBe(204);
    const [got] = receiver.received;
    expect(got?.path).toBe('/hook');
    expect(got?.headers).toMatchObject({
      'x-agenttier-delivery': 'd-1',
      'x-agenttier-timestamp': '1700000000',
      ...(got && signaturesOf('0123456789abcdef', got)),
    });
  });

  it('goes to the address that was checked, whatever the name leads to afterwards', async () => {
    const { port } = new URL(receiver.url);
    const addresses = new PublicAddresses(here, () => Promise.resolve([{ address: '127.0.0.1', family: 4 }]));
    const post = createPost({ addresses, extraCa: receiver.ca });
    // A name that no resolver knows: only the checked address can have led there. Its certificate is for that name.
    expect(await post({ url: `https://receiver.test:${port}/named`, body, headers: {} }, never)).toBe(204);
    expect(receiver.received.at(-1)?.path).toBe('/named');
    expect(receiver.received.at(-1)?.headers.host).toBe(`receiver.test:${port}`);
  });

  it('does not follow a redirect', async () => {
    receiver.answer = 307;
    const before = receiver.received.length;
    const post = createPost({ addresses: new PublicAddresses(here), extraCa: receiver.ca });
    expect(await post({ url: receiver.url, body, headers: {} }, never)).toBe(307);
    expect(receiver.received.length).toBe(before + 1);
  });

  it.each<[string, string]>([
    ['this machine', 'https://127.0.0.1/'],
    ['the metadata service', 'https://169.254.169.254/latest'],
    ['this machine by its IPv6 name', 'https://[::ffff:127.0.0.1]/'],
    ['a decimal address', 'https://2130706433/'],
    ['a name of the cluster', 'https://kubernetes.default.svc/'],
  ])('is never sent to %s', async (_what, url) => {
    const post = createPost({ addresses: new PublicAddresses() });
    await expect(post({ url, body, headers: {} }, never)).rejects.toThrow(
      /not a public address|inside a network/,
    );
  });

  it('needs a certificate that can be trusted', async () => {
    const post = createPost({ addresses: new PublicAddresses(here) });
    await expect(post({ url: receiver.url, body, headers: {} }, never)).rejects.toThrow();
  });

  it('is given up when the process ends', async () => {
    receiver.answer = undefined;
    const stop = new AbortController();
    const post = createPost({ addresses: new PublicAddresses(here), extraCa: receiver.ca });
    const before = receiver.received.length;
    const sent = post({ url: receiver.url, body, headers: {} }, stop.signal);
    await expect.poll(() => receiver.received.length).toBe(before + 1);
    stop.abort(new Error('the process ends'));
    await expect(sent).rejects.toThrow('the process ends');
  });
});
