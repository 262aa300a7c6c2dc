// SPDX-License-Identifier: Apache-2.0
import { request } from 'node:http';
import type { IncomingMessage } from 'node:http';
import { text } from 'node:stream/consumers';
import { until } from '@agenttier/machinery/testing/until';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { leanPod } from '../identity/lean.ts';
import { helloFor } from '../testing/hello.ts';
import { podObject } from '../testing/objects.ts';
import { basic, World } from '../testing/world.ts';

let world: World;
beforeEach(() => {
  world = new World();
});
afterEach(() => world.stop());

/** A server behind a name, that says back what it hears. */
async function echo(host: string): Promise<string> {
  const port = await world.tcp((socket) => socket.pipe(socket));
  world.names.set(host, ['127.0.0.1']);
  return `${host}:${port}`;
}

const hello = helloFor(['api.example.com']);

describe('CONNECT', () => {
  it('carries both directions once TLS asks for the very host', async () => {
    await world.start([await echo('api.example.com')]);
    const [target = ''] = [...world.callers.sandboxes.list()].map(
      ({ domains }) => `api.example.com:${domains[0]?.port}`,
    );
    const client = await world.connect(target);
    expect(client.text).toMatch(/^HTTP\/1\.1 200 /);
    const at = client.bytes.length;
    client.socket.write(hello.subarray(0, 20));
    client.socket.write(hello.subarray(20));
    client.socket.write('and more');
    await client.until((all) => all.endsWith('and more'));
    expect(client.bytes.subarray(at)).toEqual(Buffer.concat([hello, Buffer.from('and more')]));
    expect(world.open).toBe(1);
    client.socket.destroy();
    await until(async () => world.open === 0, 'the flow to be closed');
    expect(world.decided).toEqual(['allowed']);
  });

  it.each<[string, string, string, string]>([
    ['another domain', 'other.example.com:443', '403', 'domain_not_allowed'],
    ['another port', 'api.example.com:22', '403', 'domain_not_allowed'],
    ['a domain above', 'example.com:443', '403', 'domain_not_allowed'],
    ['an address', '127.0.0.1:443', '403', 'address_literal'],
    ['an address in disguise', '0x7f000001:443', '403', 'address_literal'],
    ['the metadata service', '169.254.169.254:80', '403', 'address_literal'],
    ['a name without an address', 'api.example.com:443', '502', 'name_not_found'],
    ['a name with a private address', 'inside.example.com:443', '403', 'address_closed'],
    ['no target at all', 'nonsense', '400', 'bad_target'],
  ])('%s is refused, in words', async (_name, target, status, reason) => {
    await world.start(['api.example.com', 'inside.example.com']);
    world.names.set('inside.example.com', []);
    const client = await world.connect(target);
    await client.closed;
    expect(client.text).toMatch(new RegExp(`^HTTP/1\\.1 ${status} `));
    expect(client.text).toContain(`[${reason}]`);
    expect(world.refused).toMatchObject([{ audit: 'egress', reason }]);
    if (reason === 'domain_not_allowed') {
      expect(client.text).toContain('spec.network.allowedDomains');
      expect(client.text).toContain('Sandbox team/one');
    }
  });

  it.each<[string, string, string]>([
    ['without credentials', '', 'credentials_missing'],
    ['of another pod', basic('pod-two'), 'unknown_caller'],
  ])('a caller %s gets nothing', async (_name, credentials, reason) => {
    await world.start(['api.example.com']);
    const client = await world.connect('api.example.com:443', credentials);
    expect(client.text).toContain(`[${reason}]`);
    if (credentials === '') expect(client.text).toMatch(/407 [^]*Proxy-Authenticate: Basic/);
  });

  it("does not let one sandbox use another one's list", async () => {
    await world.start(['api.example.com']);
    // Another sandbox at the same source, as after its address was handed on.
    world.callers.pods.applyWatch(leanPod(podObject('two', '127.0.0.1')));
    const client = await world.connect('api.example.com:443', basic('pod-two'));
    expect(client.text).toContain('[unknown_caller]');
  });

  it.each<[string, Buffer, string]>([
    ['another server', helloFor(['other.example.com']), 'server_name_mismatch'],
    ['no server', helloFor([]), 'server_name_missing'],
    ['two servers', helloFor(['api.example.com', 'other.example.com']), 'not_tls'],
    ['nothing in TLS', Buffer.from('SSH-2.0-OpenSSH\r\n'), 'not_tls'],
  ])('asks the server nothing when TLS names %s', async (_name, first, reason) => {
    let heard = 0;
    const port = await world.tcp((socket) => socket.on('data', ({ length }) => (heard += length)));
    world.names.set('api.example.com', ['127.0.0.1']);
    await world.start([`api.example.com:${port}`]);
    const client = await world.connect(`api.example.com:${port}`);
    client.socket.write(first);
    await client.closed;
    expect(world.refused.map((one) => one.reason)).toEqual([reason]);
    expect(heard).toBe(0);
    expect(client.bytes.subarray(-7)).toEqual(Buffer.from([21, 3, 3, 0, 2, 2, 49]));
  });

  it('does not wait for ever for TLS to begin', async () => {
    await world.start([await echo('api.example.com')], { helloMs: 30 });
    const port = world.callers.sandboxes.list()[0]?.domains[0]?.port;
    const client = await world.connect(`api.example.com:${port}`);
    client.socket.write(hello.subarray(0, 9));
    await client.closed;
    expect(world.refused.map((one) => one.reason)).toEqual(['hello_late']);
  });

  it('holds a fast writer back while the reader is slow', async () => {
    let sent = 0;
    const chunk = Buffer.alloc(65_536);
    const port = await world.tcp((socket) => {
      const more = (): void => {
        while (socket.write(chunk)) sent += chunk.length;
        sent += chunk.length;
      };
      socket.once('data', more);
      socket.on('drain', more);
    });
    world.names.set('api.example.com', ['127.0.0.1']);
    await world.start([`api.example.com:${port}`]);
    const client = await world.connect(`api.example.com:${port}`);
    client.socket.pause();
    client.socket.write(hello);
    let before = -1;
    await until(async () => {
      const still = before === sent && sent > 0;
      before = sent;
      return still;
    }, 'the writer to be held back');
    expect(sent).toBeLessThan(64 * 1024 * 1024);
    client.socket.destroy();
  });

  it('limits what one sandbox has open', async () => {
    await world.start([await echo('api.example.com')], { perSandbox: 1 });
    const target = `api.example.com:${world.callers.sandboxes.list()[0]?.domains[0]?.port}`;
    const first = await world.connect(target);
    const second = await world.connect(target);
    expect(second.text).toMatch(/^HTTP\/1\.1 429 /);
    first.socket.destroy();
    await until(async () => world.open === 0, 'the flow to be closed');
    expect((await world.connect(target)).text).toMatch(/^HTTP\/1\.1 200 /);
  });

  it('limits what one address has open before it says who it is', async () => {
    await world.start([], { perAddress: 2 });
    const kept = [await world.dial(), await world.dial()];
    await (await world.dial()).closed;
    for (const { socket } of kept) socket.destroy();
  });
});

describe('a change while a tunnel is open', () => {
  it.each<[string, () => void]>([
    ['the domain is taken out', () => world.allow(['other.example.com'])],
    ['the pod is gone', () => world.callers.pods.deleteWatch(leanPod(podObject('one', '127.0.0.1')))],
    [
      'the pod has ended',
      () => world.callers.pods.applyWatch(leanPod(podObject('one', '127.0.0.1', { phase: 'Failed' }))),
    ],
  ])('cuts it when %s', async (_name, change) => {
    await world.start([await echo('api.example.com')]);
    const port = world.callers.sandboxes.list()[0]?.domains[0]?.port;
    const client = await world.connect(`api.example.com:${port}`);
    client.socket.write(hello);
    await client.until((all) => all.endsWith(hello.toString('latin1')));
    change();
    await client.closed;
    expect(world.refused.map(({ reason }) => reason)).toEqual(['no_longer_allowed']);
  });

  it('lets it be when something else changes', async () => {
    const target = await echo('api.example.com');
    await world.start([target]);
    const client = await world.connect(target);
    client.socket.write(hello);
    world.allow(['more.example.com', target]);
    client.socket.write('still here');
    expect(await client.until((all) => all.endsWith('still here'))).toContain('still here');
  });
});

describe('http:// in the open', () => {
  interface Asked {
    readonly url: string;
    readonly headers?: Record<string, string | string[]>;
    readonly body?: string;
  }

  function ask({ url, headers = {}, body }: Asked): Promise<IncomingMessage> {
    const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>();
    const sent = request({
      port: world.port,
      host: '127.0.0.1',
      path: url,
      method: body === undefined ? 'GET' : 'POST',
      headers: { 'Proxy-Authorization': basic('pod-one'), ...headers },
    });
    sent.on('response', resolve).on('error', reject).end(body);
    return promise;
  }

  it('passes request and answer on, to the host of the URL', async () => {
    let seen: IncomingMessage | undefined;
    const port = await world.http((incoming, response) => {
      seen = incoming;
      void text(incoming).then((body) => {
        response.writeHead(201, { 'Set-Cookie': ['a=1', 'b=2'], 'X-Answer': body });
        response.end('done');
      });
    });
    world.names.set('api.example.com', ['127.0.0.1']);
    await world.start([`api.example.com:${port}`]);
    const answer = await ask({
      url: `http://api.example.com:${port}/path?q=1`,
      headers: { Host: 'evil.example.com', 'X-Two': ['1', '2'], Connection: 'X-Hop', 'X-Hop': '1' },
      body: 'hello',
    });
    expect(answer.statusCode).toBe(201);
    expect(answer.headers).toMatchObject({ 'set-cookie': ['a=1', 'b=2'], 'x-answer': 'hello' });
    expect(await text(answer)).toBe('done');
    expect(seen?.url).toBe('/path?q=1');
    expect(seen?.headers).toMatchObject({ host: `api.example.com:${port}`, 'x-two': '1, 2' });
    expect(seen?.headers).not.toHaveProperty('proxy-authorization');
    expect(seen?.headers).not.toHaveProperty('x-hop');
  });

  it.each([
    ['another domain', 'http://other.example.com/', 403, 'domain_not_allowed'],
    ['the metadata service', 'http://169.254.169.254/latest/meta-data', 403, 'address_literal'],
    ['https without CONNECT', 'https://api.example.com/', 400, 'https_without_connect'],
    ['a page of the proxy', '/metrics', 400, 'not_a_proxy_request'],
    ['a server that is not there', 'http://api.example.com:1/', 502, 'unreachable'],
  ])('%s is refused, in words', async (_name, url, status, reason) => {
    world.names.set('api.example.com', ['127.0.0.1']);
    await world.start(['api.example.com', 'api.example.com:1']);
    const answer = await ask({ url });
    expect(answer.statusCode).toBe(status);
    expect(await text(answer)).toContain(`[${reason}]`);
    expect(answer.headers['x-agenttier-refused']).toBe(reason);
  });

  it('takes no endless headers', async () => {
    await world.start(['api.example.com']);
    const answer = await ask({ url: 'http://api.example.com/', headers: { 'X-Long': 'a'.repeat(17_000) } });
    expect(answer.statusCode).toBe(431);
  });
});
