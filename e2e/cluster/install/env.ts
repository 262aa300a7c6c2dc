// SPDX-License-Identifier: Apache-2.0
import { chmodSync, existsSync, mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { handOver } from '../host/account.ts';
import { type BuildPlace, programPath } from './binaries.ts';

/** A text as one word of a shell. */
export function shellQuote(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}

/** Lines `export NAME='value'` of a file that `formatEnv` wrote. */
export function parseEnv(text: string): Record<string, string> {
  const entries = text.split('\n').flatMap((line) => {
    const found = /^export ([A-Z_]+)='(.*)'$/.exec(line);
    return found === null ? [] : [[found[1] ?? '', (found[2] ?? '').replaceAll(`'\\''`, "'")] as const];
  });
  return Object.fromEntries(entries);
}

/** `.local/env`: what a shell sources to work with the cluster. PATH is exported already, so it is only set. */
export function formatEnv(values: Readonly<Record<string, string>>, bin: string): string {
  const lines = Object.entries(values).map(([name, value]) => `export ${name}=${shellQuote(value)}`);
  return `${lines.join('\n')}\nPATH=${shellQuote(bin)}:"$PATH"\n`;
}

export function localFolder(root: string): string {
  return join(root, '.local');
}

/** The values of the last `up` of this checkout. */
export function readEnv(root: string): Record<string, string> {
  const file = join(localFolder(root), 'env');
  return existsSync(file) ? parseEnv(readFileSync(file, 'utf8')) : {};
}

/** Copies an administrator's kubeconfig to where the person may read it; returns its path. */
export function writeKubeconfig(place: BuildPlace, content: string): string {
  const file = join(localFolder(place.root), 'kubeconfig');
  mkdirSync(localFolder(place.root), { recursive: true });
  writeFileSync(file, content, { mode: 0o600 });
  chmodSync(file, 0o600);
  handOver(place.owner, localFolder(place.root), file);
  return file;
}

export function writeEnv(place: BuildPlace, values: Readonly<Record<string, string>>): void {
  const file = join(localFolder(place.root), 'env');
  mkdirSync(localFolder(place.root), { recursive: true });
  writeFileSync(file, formatEnv(values, join(localFolder(place.root), 'bin')), { mode: 0o600 });
  handOver(place.owner, localFolder(place.root), file);
}

/** A small script that runs a TypeScript program of the checkout with the workspace's own Node. */
function wrapper(root: string, program: string, ...args: readonly string[]): string {
  const command = [join(root, 'node_modules', '.bin', 'node'), join(root, program), ...args]
    .map(shellQuote)
    .join(' ');
  return `#!/bin/sh\nexec ${command} "$@"\n`;
}

/** `.local/bin`: kubectl, helm and our plugin, with its completion as kubectl looks for it. */
export function writeBin(place: BuildPlace): string {
  const bin = join(localFolder(place.root), 'bin');
  mkdirSync(bin, { recursive: true });
  const links = { kubectl: programPath(place, 'node'), helm: programPath(place, 'helm') };
  for (const [name, target] of Object.entries(links)) {
    rmSync(join(bin, name), { force: true });
    if (existsSync(target)) symlinkSync(target, join(bin, name));
  }
  const scripts = {
    'kubectl-agenttier': wrapper(place.root, 'plugin/src/main.ts'),
    'kubectl_complete-agenttier': wrapper(place.root, 'plugin/src/main.ts', '__complete'),
  };
  for (const [name, script] of Object.entries(scripts)) {
    writeFileSync(join(bin, name), script);
    chmodSync(join(bin, name), 0o755);
  }
  const names = [...Object.keys(links), ...Object.keys(scripts)].map((name) => join(bin, name));
  handOver(place.owner, localFolder(place.root), bin, ...names.filter((file) => existsSync(file)));
  return bin;
}

/** Forgets the cluster: what `up` wrote for shells and programs to find it. */
export function removeEnv(root: string): void {
  for (const name of ['env', 'kubeconfig', 'bin'])
    rmSync(join(localFolder(root), name), { recursive: true, force: true });
}
