// SPDX-License-Identifier: Apache-2.0
import type { EffectiveSpec, Sandbox } from '@agenttier/crds/generated/types';
import { canonicalJson } from '@agenttier/crds/meta/canonical';
import { agentConfigViolations } from '@agenttier/crds/sandbox/agentConfig';
import type { AgentConfig } from '@agenttier/crds/sandbox/agentConfig';
import type { Violation } from '@agenttier/crds/meta/violation';
import { refusals } from '../../errors.ts';
import { MAX_FILES } from './upload/receive.ts';
import type { Received } from './upload/receive.ts';

type Files = NonNullable<AgentConfig['files']>;

/** What somebody asks for, ready to be stored. */
export interface Configuration {
  readonly entrypoint: readonly string[] | undefined;
  readonly installCommand: readonly string[] | undefined;
  readonly files: Files | undefined;
}

/** Reads what was received. Throws HttpError: 403 for sizes and numbers of files, 400 for all else, with every problem. */
export function readConfiguration(
  { body, staged }: Pick<Received, 'body' | 'staged'>,
  effective: EffectiveSpec | undefined,
): Configuration {
  const given = (typeof body === 'object' && body !== null ? body : {}) as Readonly<Record<string, unknown>>;
  const problems: Problem[] = [];
  const configuration = {
    entrypoint: readCommand('entrypoint', given, problems),
    installCommand: readCommand('installCommand', given, problems),
    files: readFiles(given['files'], staged, problems),
  };
  if (problems.length > 0) throw refusals.invalidFields(problems);
  const { entrypoint, installCommand, files } = configuration;
  if (!entrypoint && !installCommand && !files) {
    throw refusals.badRequest('configure needs files, an installCommand or an entrypoint');
  }
  refuse(agentConfigViolations(present(configuration), effective));
  return configuration;
}

interface Problem {
  readonly field: string;
  readonly message: string;
}

function readCommand(
  field: 'entrypoint' | 'installCommand',
  given: Readonly<Record<string, unknown>>,
  problems: Problem[],
): readonly string[] | undefined {
  const value = given[field];
  if (value === undefined || value === null) return undefined;
  if (Array.isArray(value) && value.every((part): part is string => typeof part === 'string')) {
    return value.length > 0 ? value : undefined;
  }
  problems.push({ field, message: 'must be a list of a program and its arguments' });
  return undefined;
}

function readFiles(value: unknown, staged: Received['staged'], problems: Problem[]): Files | undefined {
  if (value === undefined || value === null) return undefined;
  if (!Array.isArray(value)) {
    problems.push({ field: 'files', message: 'must be a list' });
    return undefined;
  }
  if (value.length > MAX_FILES) throw refusals.tooManyFiles(MAX_FILES);
  const files = value.flatMap((one: unknown, i): Files => {
    const field = `files[${i}]`;
    const { path, content, contentBase64 } = (one ?? {}) as Readonly<Record<string, unknown>>;
    const contents = [content, contentBase64].filter((each) => each !== undefined && each !== null);
    if (typeof path !== 'string') problems.push({ field: `${field}.path`, message: 'is required' });
    const file = typeof contents[0] === 'string' ? staged[Number(contents[0])] : undefined;
    if (contents.length !== 1 || file === undefined) {
      problems.push({ field, message: 'needs a text in either content or contentBase64' });
      return [];
    }
    return typeof path === 'string' ? [{ path, ...file }] : [];
  });
  problems.push(...twice(files));
  // In one order, so that the same files in another one are the same configuration.
  return files.length > 0 ? files.sort((a, b) => (a.path < b.path ? -1 : 1)) : undefined;
}

function twice(files: Files): Problem[] {
  const seen = new Set<string>();
  return files.flatMap(({ path }) => {
    const isSecond = seen.has(path);
    seen.add(path);
    return isSecond ? [{ field: 'files', message: `has ${path} a second time` }] : [];
  });
}

function refuse(violations: readonly Violation[]): void {
  const tooLarge = violations.find(({ code }) => code === 'agent_files_exceeded');
  if (tooLarge) throw refusals.limitExceeded(tooLarge.message);
  if (violations.length > 0) throw refusals.invalidFields(violations);
}

/** Without the members that are absent, as the schema has it. */
function present({ entrypoint, installCommand, files }: Configuration): AgentConfig {
  return {
    ...(entrypoint ? { entrypoint: [...entrypoint] } : {}),
    ...(installCommand ? { installCommand: [...installCommand] } : {}),
    ...(files ? { files } : {}),
  };
}

/**
 * The members of a merge patch, null for what is to go. The hash of an installation that failed is another one each time,
 * which is how the operator knows that it is to be tried again; one that went well keeps its own, and is left out.
 */
export function configPatch(
  { entrypoint, installCommand, files }: Configuration,
  sandbox: Pick<Sandbox, 'spec' | 'status' | 'metadata'>,
  nonce: string,
): Readonly<Record<string, unknown>> {
  const patch = {
    entrypoint: orNull(entrypoint),
    installCommand: orNull(installCommand),
    files: orNull(files),
  };
  const stored = sandbox.spec?.agentConfig ?? {};
  if (installationText(stored) !== installationText({ installCommand, files }))
    return { ...patch, hash: null };
  return { ...patch, hash: hasFailed(sandbox) ? `retry-${nonce}` : orNull(stored.hash) };
}

const orNull = <T>(value: T | undefined): T | null => value ?? null;

const installationText = (config: Partial<Configuration>): string =>
  canonicalJson([orNull(config.installCommand), orNull(config.files)]);

const hasFailed = ({ status, metadata }: Pick<Sandbox, 'status' | 'metadata'>): boolean =>
  status?.observedGeneration === metadata.generation && status?.agentConfigure?.state === 'Failed';
