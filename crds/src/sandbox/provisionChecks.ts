// SPDX-License-Identifier: Apache-2.0
import type { EffectiveSpec } from '../generated/types.ts';
import { byteLength } from '../meta/byteLength.ts';
import type { Violation } from '../meta/violation.ts';
import { PLATFORM_FOLDER, provisionedFiles } from './provision.ts';
import type { ProvisionedFile } from './provision.ts';

/** What a Secret of Kubernetes can hold, and so the most that one file can have. */
export const MAX_FILE_BYTES = 1024 * 1024;
/**
 * All texts of one sandbox together, as they stand in its spec. The merged spec is stored with the Sandbox and etcd
 * takes 1.5 MiB for an object; a sandbox's own texts count twice, since they stand in its spec and in the merge.
 */
export const MAX_TEXT_BYTES = 1_300_000;

/** Absolute places that are the kernel's, the platform's or the kubelet's. */
const CLOSED =
  /^\/(proc|sys|dev|tmp|agenttier)(\/|$)|^\/etc\/(hosts|hostname|resolv\.conf|passwd|group|shadow)$/;
/** A skill's name is a file's name. */
const SKILL_NAME = /^[A-Za-z0-9][A-Za-z0-9._-]*$/;

/** What is wrong with the texts that a sandbox gets as files, beyond what the schema can say. */
export function provisionViolations(spec: EffectiveSpec): Violation[] {
  const files = provisionedFiles(spec);
  const seen = new Set<string>();
  return [
    ...files.flatMap((file) => {
      const twice = seen.has(file.path);
      seen.add(file.path);
      return [...pathViolations(file, twice), ...sourceViolations(file)];
    }),
    ...skillViolations(spec),
  ];
}

function pathViolations({ path, owned, field }: ProvisionedFile, twice: boolean): Violation[] {
  if (owned) return [];
  const at = `${field}.path`;
  const steps = path.split('/');
  if (path === '' || path === '/' || steps.includes('..') || hasOddCharacter(path)) {
    return [wrong(at, "must name a file, without '..', ':' and control characters", path)];
  }
  if (CLOSED.test(path))
    return [wrong(at, 'lies where the system or the platform keeps its own files', path)];
  if (steps[0] === PLATFORM_FOLDER) {
    return [wrong(at, `lies in ${PLATFORM_FOLDER}, which the platform keeps for itself`, path)];
  }
  return twice ? [wrong(at, 'is the path of another file, too', path)] : [];
}

/** A colon separates the parts of a mount, and a line break in a name only ever hides something. */
const hasOddCharacter = (path: string): boolean => path.split('').some((one) => one < ' ' || one === ':');

function sourceViolations({ content, configMapRef, secretRef, field }: ProvisionedFile): Violation[] {
  const sources = [content, configMapRef, secretRef].filter((one) => one !== undefined).length;
  if (sources !== 1) {
    return [wrong(field, 'must have exactly one of content, configMapRef and secretRef', String(sources))];
  }
  const size = byteLength(content ?? '');
  if (size <= MAX_FILE_BYTES) return [];
  const message = `${field}.content has ${size} bytes, more than the ${MAX_FILE_BYTES} that one file can have: let an init script fetch it`;
  return [
    {
      code: 'invalid_value',
      field: `${field}.content`,
      message,
      limit: String(MAX_FILE_BYTES),
      actual: String(size),
    },
  ];
}

function skillViolations({ harness }: EffectiveSpec): Violation[] {
  return (harness?.skills ?? []).flatMap(({ name }, i) =>
    SKILL_NAME.test(name)
      ? []
      : [
          wrong(
            `spec.harness.skills[${i}].name`,
            'becomes the name of a file: use letters, digits, dots, hyphens and underscores',
            name,
          ),
        ],
  );
}

/**
 * Texts beyond what an object can carry. `own` is what the sandbox itself says, `merged` what it comes to with its
 * templates.
 */
export function textSizeViolations(own: EffectiveSpec, merged: EffectiveSpec): Violation[] {
  const size = textBytes(own) + textBytes(merged);
  if (size <= MAX_TEXT_BYTES) return [];
  const field = 'spec.files';
  const message = `${field}, scripts and texts of the sandbox and its templates have ${size} bytes together (its own count twice), more than the ${MAX_TEXT_BYTES} that a Sandbox can carry: put large ones into a ConfigMap or Secret and name it with configMapRef or secretRef`;
  return [{ code: 'invalid_value', field, message, limit: String(MAX_TEXT_BYTES), actual: String(size) }];
}

function textBytes(spec: EffectiveSpec): number {
  const { hooks = {}, tools = [] } = spec.harness ?? {};
  const texts = [
    ...provisionedFiles(spec).map(({ content }) => content),
    ...(spec.initScripts ?? []),
    ...Object.values(hooks),
    ...tools.flatMap(({ installCommand, verifyCommand }) => [installCommand, verifyCommand]),
  ];
  return texts.reduce((sum, text) => sum + jsonBytes(text ?? ''), 0);
}

/** As it is stored: line breaks, quotes and control characters take more room than in the file. */
const jsonBytes = (text: string): number => byteLength(JSON.stringify(text));

function wrong(field: string, remedy: string, actual: string): Violation {
  return { code: 'invalid_value', field, message: `${field} ${remedy}`, actual: actual.slice(0, 200) };
}
