// SPDX-License-Identifier: Apache-2.0
import { randomBytes } from 'node:crypto';
import { request } from 'node:http';
import type { IncomingMessage } from 'node:http';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { ended, kubectlExec } from './kubectl.ts';
import { create, remove, type Target, timed, untilStatus } from './rest.ts';
import { type Figure, figure, rate } from './stats.ts';

const MIB = 1024 * 1024;
const PATH = '/workspace/measured';
/** Of its own, so that what other measurements print and keep does not share its memory. */
const RESOURCES = { requests: { cpu: '50m', memory: '64Mi' }, limits: { memory: '640Mi' } };

/** That many MiB, the same one again and again, which does not compress. */
function source(mebibytes: number): Readable {
  const chunk = randomBytes(MIB);
  return Readable.from(Array.from({ length: mebibytes }, () => chunk));
}

/** A file to the sandbox and back, through REST and through `kubectl exec` with `cat`, in turns. */
export async function measureFiles(
  target: Target,
  { mebibytes, rounds }: { mebibytes: number; rounds: number },
): Promise<Figure[]> {
  const name = `bench-files-${Date.now().toString(36)}`;
  await create(target, name, { resources: RESOURCES });
  const ways = { up: uploadByRest, down: downloadByRest, kubectlUp, kubectlDown };
  const values: Record<keyof typeof ways, number[]> = { up: [], down: [], kubectlUp: [], kubectlDown: [] };
  try {
    await untilStatus(target, name, 'Running');
    for (let round = 0; round < rounds; round += 1) {
      for (const way of Object.keys(ways) as (keyof typeof ways)[]) {
        const ms = await timed(() => ways[way](target, name, mebibytes));
        values[way].push(rate(mebibytes * MIB, ms));
      }
    }
  } finally {
    await remove(target, name);
  }
  const size = `${mebibytes} MiB, from the request to the answer's end`;
  const beside = `${mebibytes} MiB, the whole process`;
  return [
    figure('upload', values.up, `REST, ${size}`, 'MB/s'),
    figure('download', values.down, `REST, ${size}`, 'MB/s'),
    figure('kubectl exec upload', values.kubectlUp, `\`cat\` into a file, ${beside}`, 'MB/s'),
    figure('kubectl exec download', values.kubectlDown, `\`cat\` of the file, ${beside}`, 'MB/s'),
  ];
}

function open(
  target: Target,
  name: string,
  method: string,
  body?: { readonly stream: Readable; readonly length: number },
): Promise<IncomingMessage> {
  const url = `${target.url}/api/v1/sandboxes/${name}/files${PATH}?namespace=${target.namespace}`;
  const headers = { 'X-API-Key': target.key, ...(body ? { 'Content-Length': String(body.length) } : {}) };
  return new Promise((resolve, reject) => {
    const call = request(url, { method, headers }, resolve);
    call.on('error', reject);
    if (body) pipeline(body.stream, call).catch(reject);
    else call.end();
  });
}

async function sized(answer: Readable): Promise<number> {
  let size = 0;
  for await (const chunk of answer) size += (chunk as Buffer).length;
  return size;
}

async function uploadByRest(target: Target, name: string, mebibytes: number): Promise<void> {
  const answer = await open(target, name, 'PUT', { stream: source(mebibytes), length: mebibytes * MIB });
  await sized(answer);
  if (answer.statusCode !== 201 && answer.statusCode !== 200)
    throw new Error(`upload answered ${answer.statusCode}`);
}

async function downloadByRest(target: Target, name: string, mebibytes: number): Promise<void> {
  const size = await sized(await open(target, name, 'GET'));
  if (size !== mebibytes * MIB) throw new Error(`download gave ${size} bytes`);
}

async function kubectlUp(target: Target, name: string, mebibytes: number): Promise<void> {
  const child = kubectlExec(target, name, `cat > ${PATH}`);
  await Promise.all([pipeline(source(mebibytes), child.stdin), ended(child)]);
}

async function kubectlDown(target: Target, name: string, mebibytes: number): Promise<void> {
  const child = kubectlExec(target, name, `cat ${PATH}`);
  child.stdin.end();
  const [size] = await Promise.all([sized(child.stdout), ended(child)]);
  if (size !== mebibytes * MIB) throw new Error(`kubectl exec gave ${size} bytes`);
}
