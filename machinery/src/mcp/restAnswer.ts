// SPDX-License-Identifier: Apache-2.0
import { readEvents } from './events.ts';
import type { ToolAnswer, ToolUse } from './toolServer.ts';

/** Answer of the REST call behind a tool. */
export interface RestAnswer {
  readonly status: number;
  /** Parsed JSON, for whatever is neither bytes nor events. */
  readonly body?: unknown;
  readonly stream?: AsyncIterable<Uint8Array>;
}

export interface Wanted {
  readonly answer: 'json' | 'nothing' | 'bytes' | 'events';
  readonly encoding: 'utf-8' | 'base64';
}

/** What a model can be handed in one piece. Larger files are for programs, by REST. */
const CONTENT_LIMIT = 4 * 1024 * 1024;
/** Of each output of a program: the end of it, which tells how it went. */
const OUTPUT_LIMIT = 256 * 1024;

/** What the model is told: the answer as data, and the same as text for clients that read only text. */
export async function toolAnswer(
  answer: RestAnswer,
  wanted: Wanted,
  report: ToolUse['report'],
): Promise<ToolAnswer> {
  const { status, body, stream } = answer;
  if (status >= 400) return failure(status, body);
  if (wanted.answer === 'events') return gather(stream ?? empty(), report);
  if (wanted.answer === 'bytes') return contentOf(stream ?? empty(), wanted.encoding);
  return asData(isObject(body) ? body : { done: true });
}

const asData = (structured: Record<string, unknown>): ToolAnswer => ({
  text: JSON.stringify(structured),
  structured,
});

/** A refusal in the words of the router, each violation on a line of its own. */
export function failure(status: number, body: unknown): ToolAnswer {
  const { error, message, violations } = isObject(body) ? body : {};
  const head = [error, message].filter((part) => typeof part === 'string' && part !== '').join(': ');
  const lines = Array.isArray(violations) ? violations.map(violationText) : [];
  return {
    text: [head === '' ? `refused with status ${status}` : head, ...lines].join('\n'),
    structured: { status, ...(isObject(body) ? body : {}) },
    failed: true,
  };
}

function violationText(violation: unknown): string {
  const { field, message } = isObject(violation) ? violation : {};
  return `${typeof field === 'string' && field !== '' ? `${field}: ` : ''}${String(message)}`;
}

async function contentOf(
  stream: AsyncIterable<Uint8Array>,
  encoding: Wanted['encoding'],
): Promise<ToolAnswer> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of stream) {
    bytes += chunk.length;
    if (bytes > CONTENT_LIMIT) return tooLarge();
    chunks.push(chunk);
  }
  const content = Buffer.concat(chunks);
  const asText = encoding === 'utf-8' ? utf8(content) : undefined;
  // A file that is no text is handed over all the same, and says so.
  const read = {
    encoding: asText === undefined ? 'base64' : 'utf-8',
    content: asText ?? content.toString('base64'),
  };
  return { text: read.content, structured: { ...read, bytes } };
}

const tooLarge = (): ToolAnswer => ({
  text: `the file is larger than ${CONTENT_LIMIT} bytes, which is too much for one answer: read a part of it with a command in the sandbox`,
  failed: true,
});

function utf8(content: Buffer): string | undefined {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(content);
  } catch {
    return undefined;
  }
}

/** Reports every line of output as it comes, and answers with the last event and the end of both outputs. */
async function gather(stream: AsyncIterable<Uint8Array>, report: ToolUse['report']): Promise<ToolAnswer> {
  const outputs: Record<string, string> = { stdout: '', stderr: '' };
  let last: Record<string, unknown> = {};
  let failed = false;
  for await (const { event, data } of readEvents(stream)) {
    const value = parsed(data);
    if (event !== 'log') {
      last = { ...last, ...value };
      failed = event === 'error';
      continue;
    }
    const line = typeof value['data'] === 'string' ? value['data'] : data;
    const name = value['stream'] === 'stderr' ? 'stderr' : 'stdout';
    outputs[name] = `${outputs[name] ?? ''}${line}\n`.slice(-OUTPUT_LIMIT);
    await report(line);
  }
  const answer = asData({ ...last, ...outputs });
  return failed ? { ...answer, failed: true } : answer;
}

function parsed(data: string): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(data);
    return isObject(value) ? value : { data: value };
  } catch {
    return { data };
  }
}

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

async function* empty(): AsyncGenerator<Uint8Array> {}
