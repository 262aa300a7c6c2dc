// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from 'vitest';
import { readEvents } from './events.ts';
import { toolAnswer } from './restAnswer.ts';

async function* chunks(...parts: (string | Uint8Array)[]): AsyncGenerator<Uint8Array> {
  for (const part of parts) yield typeof part === 'string' ? Buffer.from(part) : part;
}
const reports: string[] = [];
const report = async (message: string): Promise<void> => void reports.push(message);

describe('readEvents', () => {
  const eventsOf = async (...parts: (string | Uint8Array)[]) => {
    const found = [];
    for await (const event of readEvents(chunks(...parts))) found.push(event);
    return found;
  };

  it('reads events however they are cut, characters included', async () => {
    const text = Buffer.from(
      ': keepalive\n\nevent: log\r\ndata: {"data":"ä€"}\r\n\r\ndata: one\rdata:two\r\revent: x\ndata: cut',
    );
    const expected = [
      { event: 'log', data: '{"data":"ä€"}' },
      { event: 'message', data: 'one\ntwo' },
    ];
    expect(await eventsOf(text)).toEqual(expected);
    expect(await eventsOf(...Array.from(text, (byte) => Uint8Array.of(byte)))).toEqual(expected);
  });
});

describe('toolAnswer', () => {
  it('gathers output line by line and ends with the last event', async () => {
    const stream = chunks(
      'event: start\ndata: {"invokeId":"inv-1"}\n\n',
      'event: log\ndata: {"stream":"stdout","data":"a"}\n\nevent: log\ndata: {"stream":"stderr","data":"b"}\n\n',
      'event: exit\ndata: {"invokeId":"inv-1","exitCode":2,"reason":"completed"}\n\n',
    );
    const answer = await toolAnswer({ status: 200, stream }, { answer: 'events', encoding: 'utf-8' }, report);
    expect(answer.failed).toBeUndefined();
    expect(answer.structured).toEqual({
      invokeId: 'inv-1',
      exitCode: 2,
      reason: 'completed',
      stdout: 'a\n',
      stderr: 'b\n',
    });
    expect(reports).toEqual(['a', 'b']);
  });

  it('keeps the end of long output, and fails for an error event', async () => {
    const lines = Array.from(
      { length: 300 },
      (_, at) => `event: log\ndata: {"data":"${at}${'x'.repeat(1000)}"}\n\n`,
    );
    const stream = chunks(...lines, 'event: error\ndata: {"phase":"install","message":"no room"}\n\n');
    const answer = await toolAnswer({ status: 200, stream }, { answer: 'events', encoding: 'utf-8' }, report);
    expect(answer).toMatchObject({ failed: true, structured: { phase: 'install', message: 'no room' } });
    expect(String(answer.structured?.['stdout'])).toHaveLength(256 * 1024);
    expect(String(answer.structured?.['stdout'])).toMatch(/299x+\n$/);
  });

  it.each([
    ['text', 'utf-8', 'hä', { encoding: 'utf-8', content: 'hä', bytes: 3 }],
    ['text that is wanted in base64', 'base64', 'hi', { encoding: 'base64', content: 'aGk=', bytes: 2 }],
    [
      'bytes that are no text',
      'utf-8',
      Uint8Array.of(0xff, 0),
      { encoding: 'base64', content: '/wA=', bytes: 2 },
    ],
  ] as const)('hands over %s', async (_what, encoding, content, structured) => {
    const answer = await toolAnswer(
      { status: 200, stream: chunks(content) },
      { answer: 'bytes', encoding },
      report,
    );
    expect(answer).toEqual({ text: structured.content, structured });
  });

  it('refuses a file that is too large for a model', async () => {
    const stream = chunks(...Array.from({ length: 5 }, () => new Uint8Array(1024 * 1024)));
    const answer = await toolAnswer({ status: 200, stream }, { answer: 'bytes', encoding: 'utf-8' }, report);
    expect(answer).toMatchObject({ failed: true });
    expect(answer.text).toMatch(/^the file is larger than 4194304 bytes/);
  });

  it.each([
    [
      { error: 'policy_violation', message: 'no', violations: [{ field: 'a', message: 'b' }] },
      'policy_violation: no\na: b',
    ],
    ['<html>', 'refused with status 502'],
  ])('tells a refusal %j', async (body, text) => {
    const answer = await toolAnswer({ status: 502, body }, { answer: 'json', encoding: 'utf-8' }, report);
    expect(answer).toMatchObject({ failed: true, text, structured: { status: 502 } });
  });
});
