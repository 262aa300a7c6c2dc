// SPDX-License-Identifier: Apache-2.0
import { createHash } from 'node:crypto';
import type { EffectiveSpec } from '@agenttier/crds/generated/types';
import { provisionedFiles } from '@agenttier/crds/sandbox/provision';
import type { ProvisionedFile } from '@agenttier/crds/sandbox/provision';

/** File of the plan in the folder of its contents; the runtime knows it by this name. */
const MANIFEST = 'plan.json';
/** What Kubernetes lets one Secret hold. */
const MAX_SECRET_BYTES = 1024 * 1024;
/** Of the contents, which only the platform's own init containers see. */
const CONTENT_MODE = 0o440;

/** Data of one Secret, base64 by key, and the hash of all of it. */
export interface Bundle {
  readonly hash: string;
  readonly data: Readonly<Record<string, string>>;
}

/** One item of a projected volume: a key of an object as a file. */
export interface Item {
  readonly key: string;
  readonly path: string;
  readonly mode: number;
}

export interface External {
  readonly kind: 'configMap' | 'secret';
  readonly name: string;
  readonly item: Item;
}

/** A file outside the workspace, which is mounted where it belongs. */
export interface Outside {
  readonly path: string;
  readonly source: string;
}

/** What one start brings into a sandbox before somebody uses it. */
export interface Content {
  /** What the operator puts into Secrets of its own, at least the manifest. */
  readonly bundles: readonly Bundle[];
  /** Keys of the user's own objects. */
  readonly externals: readonly External[];
  readonly outside: readonly Outside[];
  /** Mode of a content that is mounted as it is. */
  readonly modes: ReadonlyMap<string, number>;
  readonly hasFiles: boolean;
  readonly hasScripts: boolean;
}

const known = new WeakMap<EffectiveSpec, Content | 'none'>();

/**
 * What the spec asks for, undefined when that is nothing. Remembered by the spec object, which is never changed in
 * place: each look at a sandbox asks, and hashing a megabyte each time would be felt.
 */
export function contentOf(spec: EffectiveSpec): Content | undefined {
  const before = known.get(spec);
  if (before !== undefined) return before === 'none' ? undefined : before;
  const content = build(spec);
  known.set(spec, content ?? 'none');
  return content;
}

interface Placed extends ProvisionedFile {
  readonly source: string;
}

function build(spec: EffectiveSpec): Content | undefined {
  const files: Placed[] = provisionedFiles(spec).map((file, i) => ({ ...file, source: `f${i}` }));
  const scripts = spec.initScripts ?? [];
  if (files.length === 0 && scripts.length === 0) return undefined;
  const inside = files.filter(({ path }) => !path.startsWith('/'));
  const outside = files.filter(({ path }) => path.startsWith('/'));
  const texts: [string, string][] = [
    [MANIFEST, manifestOf(spec, inside)],
    ...files.flatMap(({ source, content }): [string, string][] =>
      content === undefined ? [] : [[source, content]],
    ),
    ...scripts.map((text, i): [string, string] => [`s${i}`, text]),
  ];
  return {
    bundles: pack(texts),
    externals: files.flatMap(externalOf),
    outside: outside.map(({ path, source }) => ({ path, source })),
    modes: new Map(outside.map(({ source, mode }) => [source, mode])),
    hasFiles: inside.length > 0,
    hasScripts: scripts.length > 0,
  };
}

function manifestOf(spec: EffectiveSpec, files: readonly Placed[]): string {
  const { shell, workingDir } = spec.harness ?? {};
  return JSON.stringify({
    files: files.map(({ path, mode, owned, source }) => ({ path, mode, owned, source })),
    scripts: (spec.initScripts ?? []).map((_, i) => ({ source: `s${i}` })),
    runScripts: spec.runInitScripts ?? 'Once',
    shell: shell ?? '',
    workingDir: workingDir ?? '',
  });
}

function externalOf({ configMapRef, secretRef, source, mode, path }: Placed): External[] {
  const item = (key: string): Item => ({
    key,
    path: source,
    mode: path.startsWith('/') ? mode : CONTENT_MODE,
  });
  if (configMapRef) return [{ kind: 'configMap', name: configMapRef.name, item: item(configMapRef.key) }];
  if (secretRef) return [{ kind: 'secret', name: secretRef.name, item: item(secretRef.key) }];
  return [];
}

/** Into as many bundles as it takes, each into the first that has room. Admission has seen to it that each text fits. */
function pack(texts: readonly [string, string][]): Bundle[] {
  const bins: { room: number; data: Record<string, string> }[] = [];
  for (const [key, text] of texts) {
    const bytes = Buffer.from(text);
    let bin = bins.find(({ room }) => room >= bytes.length);
    if (bin === undefined) bins.push((bin = { room: MAX_SECRET_BYTES, data: {} }));
    bin.room -= bytes.length;
    bin.data[key] = bytes.toString('base64');
  }
  return bins.map(({ data }) => ({
    data,
    hash: createHash('sha256').update(JSON.stringify(data)).digest('hex').slice(0, 10),
  }));
}

/** Mode of a key of ours in the volume. */
export const modeOf = ({ modes }: Content, key: string): number => modes.get(key) ?? CONTENT_MODE;
