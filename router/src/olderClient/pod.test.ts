// SPDX-License-Identifier: Apache-2.0
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { TokenIssuer } from '@agenttier/machinery/testing/tokenIssuer';
import { until } from '@agenttier/machinery/testing/until';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { addAgent, tellRuntime } from '../testing/agentBox.ts';
import { AgentOperator } from '../testing/agentOperator.ts';
import { ANN_KEY, Harness } from '../testing/harness.ts';
import { RealRuntime } from '../testing/realRuntime.ts';

/** What programs of before do in a running sandbox: files, commands, agents and terminals, with the real runtime. */

let runtime: RealRuntime;
let issuer: TokenIssuer;
let harness: Harness;

beforeAll(async () => {
  [runtime, issuer] = await Promise.all([RealRuntime.start(process.env), TokenIssuer.start()]);
  const oidc = {
    issuer: issuer.url,
    clientId: 'agenttier',
    adminGroup: '',
    groupClaim: 'groups',
    scopes: ['openid'],
    session: 'page' as const,
    allowHttp: false,
    ca: undefined,
  };
  harness = await Harness.start({ oidc, runtimePort: runtime.port, terminalPingMs: 500 });
  await addAgent(harness, {}, { storage: { mountPath: runtime.folder } });
  AgentOperator.work(runtime.port, harness);
}, 120_000);
afterAll(async () => {
  await harness.stop();
  await issuer.close();
  await runtime.stop();
});

const send = (method: string, path: string, body?: string): Promise<Response> =>
  fetch(`${harness.url}/api/v1/sandboxes/box${path}`, {
    method,
    redirect: 'manual',
    headers: { 'X-API-Key': ANN_KEY },
    ...(body === undefined ? {} : { body }),
  });

describe('files', () => {
  it('are listed with a slash at the end, and named without one at the beginning, segment by segment', async () => {
    const folder = join(runtime.folder, 'a folder');
    await mkdir(folder);
    await writeFile(join(folder, 'ü 100%.txt'), 'text');
    const listed = await send('GET', `/files/?path=${encodeURIComponent(folder)}`);
    expect([listed.status, await listed.json()]).toMatchObject([
      200,
      { path: folder, entries: [{ name: 'ü 100%.txt', size: 4, isDir: false, mode: '-rw-r--r--' }] },
    ]);
    const path = `${folder}/ü 100%.txt`.slice(1).split('/').map(encodeURIComponent).join('/');
    const got = await send('GET', `/files/${path}`);
    expect([got.status, await got.text()]).toEqual([200, 'text']);
    expect(got.headers.get('content-type')).toBe('application/octet-stream');
    const put = await send('PUT', `/files/${path}`, 'other');
    expect([put.status, await put.json()]).toMatchObject([201, { path: `${folder}/ü 100%.txt`, bytes: 5 }]);
    const zip = await send('GET', `/archive?path=${encodeURIComponent(folder)}`);
    expect(zip.headers.get('content-disposition')).toContain('.zip');
  });
});

describe('times', () => {
  it('are whole seconds for commands, and a duration for agents', async () => {
    const ran = await send('POST', '/exec', JSON.stringify({ command: 'echo one; exit 3', timeout: 20 }));
    expect([ran.status, await ran.json()]).toMatchObject([200, { stdout: 'one\n', stderr: '', exitCode: 3 }]);
    const late = await send('POST', '/exec', JSON.stringify({ command: 'sleep 30', timeout: 1 }));
    expect(await late.json()).toMatchObject({ timedOut: true });
    await tellRuntime(runtime.port, 'sleep 30');
    const over = await (await send('POST', '/invoke?timeout=300ms')).text();
    expect(over).toMatch(/event: exit\ndata: \{.*"reason":"timeout".*\}\n\n$/);
  });
});

/** Blocks of an event and one line of data, as clients cut them that know no other field but comments. */
function events(text: string): { event: string; data: Record<string, unknown> }[] {
  const blocks = text.split('\n\n').filter((block) => block !== '' && !block.startsWith(':'));
  return blocks.map((block) => {
    const lines = block.split('\n').filter((line) => !line.startsWith('id: '));
    expect(lines.map((line) => line.slice(0, line.indexOf(':')))).toEqual(['event', 'data']);
    return {
      event: lines[0]?.slice('event: '.length) ?? '',
      data: JSON.parse(lines[1]?.slice('data: '.length) ?? '') as Record<string, unknown>,
    };
  });
}

describe('events', () => {
  it('are an event, a line of JSON and an empty line; configure ends with its result, invoke with its exit', async () => {
    const body = JSON.stringify({
      files: [{ path: join(runtime.folder, 'empty.py'), content: '' }],
      installCommand: ['/bin/sh', '-c', "printf '\\033[31mred\\033[0m'"],
      entrypoint: ['/bin/sh', '-c', "cat; printf 'a\\nb'"],
    });
    const configured = events(await (await send('POST', '/configure', body)).text());
    expect(configured.at(-1)).toMatchObject({
      event: 'result',
      data: { installExitCode: 0, skipped: false, installCommandHash: expect.any(String) },
    });
    const log = configured.filter(({ event }) => event === 'log').map(({ data }) => data['data']);
    expect(log).toEqual(expect.arrayContaining(['\u001b[31mred\u001b[0m']));
    const kept = await send('GET', '/configure/install-log');
    expect([kept.status, await kept.json()]).toMatchObject([200, { log: expect.stringContaining('red') }]);

    const invoked = events(await (await send('POST', '/invoke?prompt=p', 'in\n')).text());
    expect(invoked[0]).toMatchObject({
      event: 'start',
      data: { invokeId: expect.stringMatching(/^inv-[0-9a-f]{24}$/), startedAt: expect.any(Number) },
    });
    expect(invoked.slice(1, -1).map(({ event, data }) => [event, data])).toEqual(
      ['in', 'a', 'b'].map((line) => ['log', { stream: 'stdout', data: line }]),
    );
    expect(invoked.at(-1)).toMatchObject({ event: 'exit', data: { exitCode: 0, reason: 'completed' } });
  });
});

describe('a terminal', () => {
  interface Frame {
    readonly type: string;
    readonly data?: string;
    readonly stream?: string;
    readonly ts?: number;
    readonly code?: number;
  }

  async function open(query: string, headers: Record<string, string>): Promise<[WebSocket, Frame[]]> {
    const socket = new WebSocket(`${harness.url.replace('http', 'ws')}/ws/terminal/box${query}`, { headers });
    const frames: Frame[] = [];
    socket.on('message', (data: Buffer, isBinary) => {
      expect(isBinary).toBe(false);
      frames.push(JSON.parse(data.toString()) as Frame);
    });
    await new Promise((resolve, reject) => {
      socket.once('open', resolve);
      socket.once('error', reject);
    });
    return [socket, frames];
  }

  it('opens with a key, a token in the header or one in the query, and speaks JSON in text', async () => {
    const token = await issuer.sign({ sub: 'ann', aud: 'agenttier' });
    const bearer = { Authorization: `Bearer ${token}` };
    const isIn = async (): Promise<boolean> =>
      (await fetch(`${harness.url}/api/v1/user/me`, { headers: bearer })).ok;
    await until(isIn, 'the issuer to be found');
    const ways: [query: string, headers: Record<string, string>][] = [
      ['?namespace=default', { 'X-API-Key': ANN_KEY }],
      ['', bearer],
      [`?token=${token}`, {}],
    ];
    for (const [index, [query, headers]] of ways.entries()) {
      const [socket, frames] = await open(query, headers);
      const output = (): string => frames.map(({ type, data }) => (type === 'output' ? data : '')).join('');
      socket.send(JSON.stringify({ type: 'resize', cols: 100, rows: 30 }));
      socket.send(JSON.stringify({ type: 'input', data: `stty size; echo "é-"${index}\r` }));
      await until(() => output().includes(`é-${index}`) && output().includes('30 100'), 'the echo');
      socket.send(JSON.stringify({ type: 'ping' }));
      const has = (type: string): boolean => frames.some((frame) => frame.type === type);
      await until(() => has('pong') && has('heartbeat'), 'a pong and a heartbeat');
      const known = ['output', 'pong', 'heartbeat', 'error', 'close', 'exit', 'notice'];
      expect(frames.filter(({ type }) => !known.includes(type))).toEqual([]);
      expect(frames.find(({ type }) => type === 'output')?.stream).toBe('stdout');
      expect(frames.find(({ type }) => type === 'heartbeat')?.ts).toEqual(expect.any(Number));
      socket.close();
    }
  });
});
