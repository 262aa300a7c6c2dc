// SPDX-License-Identifier: Apache-2.0
import { readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { KubeObject } from '@agenttier/machinery/kube/resource';
import { parseAllDocuments, type YAMLError } from 'yaml';
import { CommandError, messageOf } from '../context/failure.ts';
import type { Host } from '../context/host.ts';

/** One object from a file, and where it stands there. */
export interface SourceDocument {
  /** Path as it was given, or found below the folder that was given; `-` for standard input. */
  readonly file: string;
  /** The line its document starts on; the first is 1. */
  readonly line: number;
  /** Position among the objects of the file; the first is 0. */
  readonly index: number;
  readonly object: KubeObject;
}

/** `file.yaml:12` */
export const sourceOf = ({ file, line }: Pick<SourceDocument, 'file' | 'line'>): string => `${file}:${line}`;

/**
 * The objects in a YAML or JSON file, in a folder's .yaml, .yml and .json files by name (in folders below it too when
 * `recursive`), or on standard input for `-`. Items of a List count as objects of their own. Throws CommandError with
 * file and line.
 */
export async function readDocuments(host: Host, path: string, recursive = false): Promise<SourceDocument[]> {
  if (path === '-') return parseObjects('-', await readAll(host));
  const files = await filesOf(path, recursive);
  const found = await Promise.all(
    files.map(async (file) => parseObjects(file, await readFile(file, 'utf8'))),
  );
  const objects = found.flat();
  if (objects.length === 0) throw new CommandError(`${path}: no objects found in it`);
  return objects;
}

async function filesOf(path: string, recursive: boolean): Promise<string[]> {
  try {
    if (!(await stat(path)).isDirectory()) return [path];
    const names = await readdir(path, { recursive });
    const manifests = names.filter((name) => /\.(ya?ml|json)$/.test(name)).sort();
    return manifests.map((name) => join(path, name));
  } catch (error) {
    throw new CommandError(`the path ${JSON.stringify(path)} cannot be read: ${messageOf(error)}`, 1, error);
  }
}

async function readAll(host: Host): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of host.streams.in) chunks.push(Buffer.from(chunk as Uint8Array | string));
  return Buffer.concat(chunks).toString('utf8');
}

/** Parses a stream of documents; empty ones are skipped. Duplicate keys are an error, as the API server has it. */
export function parseObjects(file: string, text: string): SourceDocument[] {
  const found: SourceDocument[] = [];
  for (const document of parseAllDocuments(text, { uniqueKeys: true })) {
    const line = lineAt(text, document.contents?.range?.[0] ?? document.range[0]);
    refuseBroken(document.errors, file, line);
    const value: unknown = document.toJS();
    if (value === null || value === undefined) continue;
    for (const object of objectsIn(`${file}:${line}`, value)) {
      found.push({ file, line, index: found.length, object });
    }
  }
  return found;
}

function refuseBroken([problem]: readonly YAMLError[], file: string, line: number): void {
  if (problem === undefined) return;
  const where = problem.linePos?.[0].line ?? line;
  throw new CommandError(`${file}:${where}: ${problem.message.split('\n')[0]}`);
}

function objectsIn(source: string, value: unknown): KubeObject[] {
  const object = value as { kind?: unknown; apiVersion?: unknown; metadata?: unknown; items?: unknown };
  if (
    typeof object !== 'object' ||
    typeof object.kind !== 'string' ||
    typeof object.apiVersion !== 'string'
  ) {
    throw new CommandError(`${source}: not a Kubernetes object: apiVersion and kind are required`);
  }
  if (object.kind === 'List' && Array.isArray(object.items)) {
    return object.items.flatMap((item) => objectsIn(source, item));
  }
  const metadata = typeof object.metadata === 'object' && object.metadata !== null ? object.metadata : {};
  return [{ ...object, metadata } as KubeObject];
}

const lineAt = (text: string, offset: number): number => text.slice(0, offset).split('\n').length;
