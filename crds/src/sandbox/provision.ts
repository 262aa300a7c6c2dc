// SPDX-License-Identifier: Apache-2.0
import type { EffectiveSpec } from '../generated/types.ts';

export const DEFAULT_FILE_MODE = 0o644;
/** Folder of the workspace that is the platform's. */
export const PLATFORM_FOLDER = '.agenttier';

export interface KeyRef {
  readonly name: string;
  readonly key: string;
}

/** One text that a sandbox gets as a file. */
export interface ProvisionedFile {
  /** Path relative to the workspace, or absolute where it lies outside. */
  readonly path: string;
  readonly mode: number;
  /** Written by the platform for the harness: what somebody changed in it is not kept. */
  readonly owned: boolean;
  readonly content?: string | undefined;
  readonly configMapRef?: KeyRef | undefined;
  readonly secretRef?: KeyRef | undefined;
  /** Field of the spec that it comes from. */
  readonly field: string;
}

type Source = Pick<ProvisionedFile, 'content' | 'configMapRef' | 'secretRef'>;

/** Every text that a sandbox gets as a file: its files, the system prompt, the skills. */
export function provisionedFiles(spec: EffectiveSpec): ProvisionedFile[] {
  const { skills = [], systemPrompt } = spec.harness ?? {};
  const files = (spec.files ?? []).map(({ path, mode = DEFAULT_FILE_MODE, ...source }, i) => ({
    ...sourceOf(source),
    path: placeOf(path, spec.storage?.mountPath || '/workspace'),
    mode,
    owned: false,
    field: `spec.files[${i}]`,
  }));
  const prompt = systemPrompt && isSet(systemPrompt) ? [{ ...systemPrompt, name: 'system-prompt.md' }] : [];
  const owned = [
    ...prompt.map(({ name, ...source }) => ({ name, source, field: 'spec.harness.systemPrompt' })),
    ...skills.map(({ name, content = {} }, i) => ({
      name: `skills/${name}.md`,
      source: content,
      field: `spec.harness.skills[${i}].content`,
    })),
  ];
  return [
    ...files,
    ...owned.map(({ name, source, field }) => ({
      ...sourceOf(source),
      path: `${PLATFORM_FOLDER}/${name}`,
      mode: DEFAULT_FILE_MODE,
      owned: true,
      field,
    })),
  ];
}

const isSet = ({ content, configMapRef, secretRef }: Source): boolean =>
  content !== undefined || configMapRef !== undefined || secretRef !== undefined;

const sourceOf = ({ content, configMapRef, secretRef }: Source): Source => ({
  content,
  configMapRef,
  secretRef,
});

/** Without the workspace in front of it, without `.` steps and doubled slashes. */
function placeOf(path: string, mountPath: string): string {
  const workspace = clean(mountPath);
  const whole = clean(path);
  if (!path.startsWith('/')) return whole;
  return whole.startsWith(`${workspace}/`) ? whole.slice(workspace.length + 1) : `/${whole}`;
}

const clean = (path: string): string =>
  path
    .split('/')
    .filter((step) => step !== '' && step !== '.')
    .join('/');

/** Whether a start has anything to bring into the sandbox before somebody uses it. */
export const needsProvision = (spec: EffectiveSpec): boolean =>
  (spec.initScripts ?? []).length > 0 || provisionedFiles(spec).length > 0;
