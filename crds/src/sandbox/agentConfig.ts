// SPDX-License-Identifier: Apache-2.0
import type { EffectiveSpec, SandboxSpec } from '../generated/types.ts';
import { sha256Hex } from '../meta/hash.ts';
import type { Violation } from '../meta/violation.ts';

export type AgentConfig = NonNullable<SandboxSpec['agentConfig']>;

/** Bytes of one file, and of all files of one configuration together. */
export const MAX_AGENT_FILE = 32 * 1024 * 1024;
export const MAX_AGENT_FILES = 128 * 1024 * 1024;

/** Below the mount path, where the platform keeps what is its own. */
const RESERVED = '.agenttier';
const UNSAFE = /['"`\\\p{Cc}]/u;

/** A name for a person that tells two of them apart and gives neither away; the runtime and the logs know people by it. */
export function actorDigest(sub: string): string {
  return sha256Hex(sub).slice(0, 16);
}

/**
 * What is wrong with the configuration of an agent. `effective` is the merged spec, where there is one: without it nobody
 * knows the mode of the sandbox and where its volume is.
 */
export function agentConfigViolations(
  config: AgentConfig | undefined,
  effective: EffectiveSpec | undefined,
): Violation[] {
  if (config === undefined) return [];
  return [
    ...modeViolations(effective),
    ...commandViolations(config),
    ...emptyViolations(config),
    ...pathViolations(config, effective?.storage?.mountPath || '/workspace'),
    ...sizeViolations(config),
  ];
}

function modeViolations(effective: EffectiveSpec | undefined): Violation[] {
  if (effective === undefined || effective.mode === 'agent') return [];
  const field = 'spec.agentConfig';
  return [
    wrong(field, `${field} is for sandboxes of mode agent, this one has mode ${effective.mode ?? 'code'}`),
  ];
}

function commandViolations(config: AgentConfig): Violation[] {
  return (['entrypoint', 'installCommand'] as const).flatMap((key) => {
    const field = `spec.agentConfig.${key}[0]`;
    return config[key]?.[0] === '' ? [wrong(field, `${field} must name a program`)] : [];
  });
}

function emptyViolations({ entrypoint = [], installCommand = [], files = [] }: AgentConfig): Violation[] {
  if (entrypoint.length + installCommand.length + files.length > 0) return [];
  const field = 'spec.agentConfig';
  return [wrong(field, `${field} needs an entrypoint, an installCommand or files; leave it out otherwise`)];
}

function pathViolations({ files = [] }: AgentConfig, mountPath: string): Violation[] {
  return files.flatMap(({ path }, i) => {
    const field = `spec.agentConfig.files[${i}].path`;
    const below = path.startsWith(`${mountPath}/`) ? path.slice(mountPath.length + 1) : '';
    const steps = below.split('/');
    if (UNSAFE.test(path) || steps.some((step) => ['', '.', '..'].includes(step)) || steps[0] === RESERVED) {
      const message = `${field} must be a clean path below ${mountPath}, outside ${mountPath}/${RESERVED}, without quotes, backslashes and control characters`;
      return [wrong(field, message, path.slice(0, 200))];
    }
    return [];
  });
}

function sizeViolations({ files = [] }: AgentConfig): Violation[] {
  const tooLarge = files.flatMap(({ size }, i): Violation[] => {
    const field = `spec.agentConfig.files[${i}].size`;
    return size <= MAX_AGENT_FILE ? [] : [exceeded(field, size, MAX_AGENT_FILE)];
  });
  const sum = files.reduce((total, { size }) => total + size, 0);
  return sum <= MAX_AGENT_FILES
    ? tooLarge
    : [...tooLarge, exceeded('spec.agentConfig.files', sum, MAX_AGENT_FILES)];
}

function exceeded(field: string, actual: number, limit: number): Violation {
  const message = `${field} comes to ${actual} bytes, ${limit} are allowed`;
  return { code: 'agent_files_exceeded', field, message, limit, actual };
}

function wrong(field: string, message: string, actual?: string): Violation {
  return { code: 'invalid_value', field, message, ...(actual === undefined ? {} : { actual }) };
}
