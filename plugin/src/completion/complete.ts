// SPDX-License-Identifier: Apache-2.0
import type { Command } from 'commander';
import type { KubeObject, Resource } from '@agenttier/machinery/kube/resource';
import type { GlobalFlags, Host } from '../context/host.ts';
import { write } from '../context/host.ts';
import { type Candidate, type Wanted, wantedAt } from './candidates.ts';

/** What a shell does after our words (the numbers of cobra, which kubectl's completion reads). */
const DIRECTIVE = { nothing: 0, noFiles: 4, noFilesNoSpace: 6 } as const;
/** Somebody holds the Tab key: better no names than a wait. */
const LOOKUP_MS = 3000;

/**
 * Answers `__complete WORDS... CURRENT`: a candidate a line, with a tab before its description, and the directive in the
 * last line. Never fails: a completion that prints an error garbles the prompt.
 */
export async function complete(host: Host, program: Command, args: readonly string[]): Promise<void> {
  const words = args.slice(0, -1);
  const current = args.at(-1) ?? '';
  const wanted = wantedAt(program, words, current);
  const found = await candidates(host, wanted, flagsIn(words)).catch((): Candidate[] => []);
  const matching = found.filter(({ word }) => word.startsWith(current));
  const lines = matching.map(({ word, description }) => (description ? `${word}\t${description}` : word));
  await write(
    host.streams.out,
    [...lines, `:${directiveFor(wanted, matching)}`].map((line) => `${line}\n`).join(''),
  );
}

function directiveFor(wanted: Wanted, matching: readonly Candidate[]): number {
  if (wanted.kind === 'files') return DIRECTIVE.nothing;
  return matching.some(({ word }) => word.endsWith('=')) ? DIRECTIVE.noFilesNoSpace : DIRECTIVE.noFiles;
}

/** The cluster flags typed so far; the line is unfinished, so it is scanned rather than parsed. */
function flagsIn(words: readonly string[]): GlobalFlags {
  const valueOf = (...names: readonly string[]): string | undefined => {
    for (const [at, word] of words.entries()) {
      if (names.includes(word)) return words[at + 1];
      const assigned = names.find((name) => word.startsWith(`${name}=`));
      if (assigned !== undefined) return word.slice(assigned.length + 1);
    }
    return undefined;
  };
  const namespace = valueOf('-n', '--namespace');
  const context = valueOf('--context');
  const kubeconfig = valueOf('--kubeconfig');
  return {
    ...(namespace === undefined ? {} : { namespace }),
    ...(context === undefined ? {} : { context }),
    ...(kubeconfig === undefined ? {} : { kubeconfig }),
  };
}

async function candidates(host: Host, wanted: Wanted, flags: GlobalFlags): Promise<readonly Candidate[]> {
  if (wanted.kind === 'words') return wanted.words;
  if (wanted.kind === 'none' || wanted.kind === 'files') return [];
  if (wanted.kind === 'contexts') return (await contexts(host, flags)).map((word) => ({ word }));
  const names = await namesOf(host, flags, wanted.kind);
  return [...new Set(names)].sort().map((word) => ({ word }));
}

type Named = Exclude<Wanted['kind'], 'words' | 'none' | 'files' | 'contexts'>;

async function namesOf(host: Host, flags: GlobalFlags, kind: Named): Promise<string[]> {
  const [{ withCluster }, ours, core, { LABEL_SOURCE_SANDBOX }] = await Promise.all([
    import('../context/cluster.ts'),
    import('@agenttier/crds/meta/resources'),
    import('@agenttier/machinery/kube/resource'),
    import('@agenttier/crds/meta/labels'),
  ]);
  const resources: Readonly<Record<typeof kind, readonly Resource[]>> = {
    sandboxes: [ours.SANDBOXES],
    templates: [ours.CLUSTER_SANDBOX_TEMPLATES, ours.SANDBOX_TEMPLATES],
    pools: [ours.SANDBOX_WARM_POOLS],
    backups: [core.VOLUME_SNAPSHOTS],
    namespaces: [core.NAMESPACES],
  };
  const selected = kind === 'backups' ? { labelSelector: LABEL_SOURCE_SANDBOX } : {};
  return withCluster(host, flags, async ({ client, namespace }) => {
    const options = { signal: host.signal, timeoutMs: LOOKUP_MS };
    const lists = await Promise.all(
      resources[kind].map((resource) =>
        client.list<KubeObject>(
          resource,
          { ...selected, ...(resource.namespaced ? { namespace } : {}) },
          options,
        ),
      ),
    );
    return lists.flatMap((list) => list.items.map((item) => item.metadata.name ?? ''));
  });
}

async function contexts(host: Host, flags: GlobalFlags): Promise<string[]> {
  const [{ readFile }, path, { parseKubeconfig }] = await Promise.all([
    import('node:fs/promises'),
    import('node:path'),
    import('@agenttier/machinery/kube/kubeconfigFile'),
  ]);
  const { KUBECONFIG, HOME } = host.environment.variables;
  const files = flags.kubeconfig
    ? [flags.kubeconfig]
    : (KUBECONFIG || path.join(HOME ?? '', '.kube/config')).split(path.delimiter);
  const found = await Promise.allSettled(
    files.map(async (file) => parseKubeconfig(await readFile(file, 'utf8'), file)),
  );
  return found.flatMap((one) => (one.status === 'fulfilled' ? [...one.value.contexts.keys()] : []));
}
