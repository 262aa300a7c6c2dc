// SPDX-License-Identifier: Apache-2.0
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { takeSnapshot, type Snapshot } from '../clean.ts';
import { STATE, SHARED_FOLDERS, paths } from './layout.ts';
import { SYSCTLS, readSysctl } from './network.ts';

/** The machine as it was before the node: what `down` gives back and compares with. */
export interface Before {
  readonly snapshot: Snapshot;
  readonly sysctls: Readonly<Record<string, string>>;
  /** Folders outside our own that programs write to by themselves, as far as they did not exist. */
  readonly newFolders: readonly string[];
}

function readJson(file: string): unknown {
  try {
    return JSON.parse(readFileSync(file, 'utf8'));
  } catch {
    return undefined; // missing, or cut off by a crash while it was written
  }
}

/** Which checkout built the node, if there is one. */
export function nodeOwner(): string | undefined {
  return (readJson(paths.owner) as { checkout: string } | undefined)?.checkout;
}

export function readBefore(): Before | undefined {
  return readJson(paths.before) as Before | undefined;
}

/** Remembers the machine's state and the checkout, once per node. */
export async function claimNode(checkout: string): Promise<void> {
  mkdirSync(STATE, { recursive: true });
  for (const folder of [paths.run, paths.config, paths.volumes]) mkdirSync(folder, { recursive: true });
  if (readBefore() === undefined) {
    const values = Object.keys(SYSCTLS).flatMap((name) => {
      const value = readSysctl(name);
      return value === undefined ? [] : [[name, value] as const];
    });
    const before: Before = {
      snapshot: await takeSnapshot(),
      sysctls: Object.fromEntries(values),
      newFolders: SHARED_FOLDERS.filter((folder) => !existsSync(folder)),
    };
    writeFileSync(paths.before, JSON.stringify(before, undefined, 2));
  }
  writeFileSync(paths.owner, JSON.stringify({ checkout }));
}
