// SPDX-License-Identifier: Apache-2.0
import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { CommandError } from '../context/failure.ts';

export interface LocalFile {
  readonly remote: string;
  readonly local: string;
}

/** `/workspace/agent.py=agent.py`; a path in the sandbox may not hold an equals sign, the local one may. */
export async function localFile(text: string): Promise<LocalFile> {
  const at = text.indexOf('=');
  const file = { remote: text.slice(0, Math.max(0, at)), local: text.slice(at + 1) };
  if (!file.remote.startsWith('/')) {
    throw new CommandError(`--file ${text}: write REMOTE=LOCAL with an absolute path in the sandbox`);
  }
  const found = await stat(file.local).catch(() => undefined);
  if (!found?.isFile()) throw new CommandError(`--file ${text}: there is no file ${file.local}`);
  return file;
}

export interface ConfigureBody {
  readonly files: readonly LocalFile[];
  readonly installCommand?: readonly string[];
  readonly entrypoint?: readonly string[];
}

/** Bytes that base64 makes whole characters of, so that pieces can follow each other. */
const PIECE = 3 * 64 * 1024;

/** The request's JSON in pieces: files are read while they are sent. */
export async function* bodyText({ files, ...commands }: ConfigureBody): AsyncGenerator<string> {
  yield '{"files":[';
  for (const [i, { remote, local }] of files.entries()) {
    yield `${i > 0 ? ',' : ''}{"path":${JSON.stringify(remote)},"contentBase64":"`;
    yield* base64Of(local);
    yield '"}';
  }
  const rest = JSON.stringify(commands).slice(1);
  yield rest === '}' ? ']}' : `],${rest}`;
}

async function* base64Of(file: string): AsyncGenerator<string> {
  let rest = Buffer.alloc(0);
  for await (const chunk of createReadStream(file, { highWaterMark: PIECE })) {
    const bytes = Buffer.concat([rest, chunk as Buffer]);
    const whole = bytes.length - (bytes.length % 3);
    yield bytes.toString('base64', 0, whole);
    rest = bytes.subarray(whole);
  }
  yield rest.toString('base64');
}
