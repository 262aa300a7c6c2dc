// SPDX-License-Identifier: Apache-2.0
import { createServer } from 'node:http';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { until } from '@agenttier/machinery/testing/until';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { askHealth, RuntimeProbe } from './runtimeProbe.ts';

const end = new AbortController();
let answers: string[];
let server: Server | undefined;

beforeEach(() => {
  answers = [];
});

afterEach(() => {
  server?.close();
  server = undefined;
});

const onAnswer = (key: string, uid: string): void => void answers.push(`${key} ${uid}`);

async function listen(status: () => number, port = 0): Promise<number> {
  server = createServer((request, response) => {
    response.statusCode = request.url === '/healthz' ? status() : 404;
    response.end('{"status":"ok"}');
  });
  await new Promise<void>((resolve) => server?.listen(port, '127.0.0.1', resolve));
  return (server.address() as AddressInfo).port;
}

/** A probe that is told its answers, and how often it asked. */
function scripted(script: ('up' | 'notYet' | 'unreachable')[]) {
  const asked: string[] = [];
  const ask = async (host: string): Promise<'up' | 'notYet' | 'unreachable'> => {
    asked.push(host);
    return script.shift() ?? 'notYet';
  };
  return { asked, probe: new RuntimeProbe({ port: 9000, onAnswer, signal: end.signal, ask }) };
}

describe('RuntimeProbe', () => {
  it('asks until the runtime answers, and tells once', async () => {
    const { asked, probe } = scripted(['notYet', 'unreachable', 'notYet', 'up']);
    probe.start('team/one', 'uid', '10.0.0.7');
    probe.start('team/one', 'uid', '10.0.0.7');
    await until(() => answers.length > 0, 'the answer');
    expect(answers).toEqual(['team/one uid']);
    expect(asked).toHaveLength(4);
    probe.start('team/one', 'uid', '10.0.0.7');
    expect(asked).toHaveLength(4);
  });

  it('leaves it to the kubelet when packets vanish', async () => {
    const { asked, probe } = scripted(['unreachable', 'unreachable', 'unreachable', 'up']);
    probe.start('team/one', 'uid', '10.0.0.7');
    await until(() => asked.length === 3, 'three tries');
    const other = scripted(['up']);
    other.probe.start('team/two', 'uid', '10.0.0.8');
    await until(() => answers.length > 0, 'the other one');
    expect(answers).toEqual(['team/two uid']);
    expect(asked).toHaveLength(3);
  });

  it('stops asking the old pod when there is a new one, or none', async () => {
    const { asked, probe } = scripted([]);
    probe.start('team/one', 'old', '10.0.0.7');
    await until(() => asked.length > 0, 'a question');
    probe.start('team/one', 'new', '10.0.0.8');
    await until(() => asked.at(-1) === '10.0.0.8', 'the new pod');
    probe.end('team/one');
    expect(answers).toEqual([]);
  });
});

describe('askHealth', () => {
  const signal = end.signal;

  it('takes 200 only', async () => {
    let status = 503;
    const port = await listen(() => status);
    expect(await askHealth('127.0.0.1', port, signal)).toBe('notYet');
    status = 200;
    expect(await askHealth('127.0.0.1', port, signal)).toBe('up');
  });

  it('a refused connection is an answer: not yet', async () => {
    const port = await listen(() => 200);
    server?.close();
    expect(await askHealth('127.0.0.1', port, signal)).toBe('notYet');
  });
});
