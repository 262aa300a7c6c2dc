// SPDX-License-Identifier: Apache-2.0
import { createPrivateKey, X509Certificate } from 'node:crypto';
import { watch } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { systemClock } from '../runtime/clock.ts';
import type { Clock } from '../runtime/clock.ts';
import type { Logger } from '../telemetry/log.ts';
import { CertificateHolder } from './source.ts';
import type { Certificate, CertificateSource } from './source.ts';

export interface FileSourceOptions {
  readonly certFile: string;
  readonly keyFile: string;
  readonly caFile?: string | undefined;
  readonly log: Logger;
  /** Read again this often even without a notice; default 60 000. Some file systems send none. */
  readonly pollMs?: number | undefined;
  readonly clock?: Clock | undefined;
}

export interface FileSource extends CertificateSource {
  /** Reads the files; throws when they are missing or do not belong together. */
  load(): Promise<void>;
  /** Follows changes until the signal aborts; never rejects. */
  run(signal: AbortSignal): Promise<void>;
}

/** Certificate from files that somebody else renews: cert-manager, or any mounted Secret. */
export function createFileSource(options: FileSourceOptions): FileSource {
  const holder = new CertificateHolder();
  const load = async (): Promise<void> => holder.set(await read(options));
  return {
    current: () => holder.current(),
    onChange: (listener) => holder.onChange(listener),
    load,
    run: (signal) => follow(options, load, signal),
  };
}

async function read({ certFile, keyFile, caFile }: FileSourceOptions): Promise<Certificate> {
  const [cert, key, ca] = await Promise.all([
    readFile(certFile, 'utf8'),
    readFile(keyFile, 'utf8'),
    caFile === undefined ? '' : readFile(caFile, 'utf8'),
  ]);
  if (!new X509Certificate(cert).checkPrivateKey(createPrivateKey(key))) {
    throw new Error(`${keyFile} is not the key of ${certFile}`);
  }
  return { cert, key, ca };
}

/**
 * The kubelet renews a mounted Secret by swinging the symlink `..data` of the folder to a new one: a watch on the file
 * itself would stay with the old, deleted inode, so the folder is watched.
 */
async function follow(
  options: FileSourceOptions,
  load: () => Promise<void>,
  signal: AbortSignal,
): Promise<void> {
  const { clock = systemClock, log, pollMs = 60_000 } = options;
  let wake = Promise.withResolvers<void>();
  const notice = (): void => wake.resolve();
  const folders = new Set([options.certFile, options.keyFile].map((file) => dirname(file)));
  const watchers = [...folders].map((folder) =>
    watch(folder, { persistent: false }, notice).on('error', notice),
  );
  const stop = (): void => wake.resolve();
  signal.addEventListener('abort', stop, { once: true });
  while (!signal.aborted) {
    const turn = new AbortController();
    await Promise.race([wake.promise, clock.sleep(pollMs, turn.signal).catch(() => undefined)]);
    turn.abort();
    wake = Promise.withResolvers();
    if (signal.aborted) break;
    // Between two writes of a plain file the pair does not match: the next notice or poll finds it complete.
    await load().catch((error: unknown) => log.warn({ err: error }, 'certificate files not taken over'));
  }
  for (const watcher of watchers) watcher.close();
}
