// SPDX-License-Identifier: Apache-2.0
import { getSandbox, sandboxNames } from '../client/sandboxes.ts';
import { withCluster } from '../context/cluster.ts';
import { CommandError } from '../context/failure.ts';
import { type GlobalFlags, type Host, write } from '../context/host.ts';
import { templateRef } from '../create/manifest.ts';
import { type Output, parseOutput, renderValue } from '../printers/output.ts';
import { type Column, renderTable } from '../printers/table.ts';
import { type ExplainedField, explainFields, valueText } from './origins.ts';
import { loadChain, mergeChain, originOf } from './templateChain.ts';

export interface ExplainOptions extends GlobalFlags {
  readonly name: string;
  readonly output?: string;
}

/** What is printed; the JSON form has exactly these names. */
interface Explanation {
  readonly kind: string;
  readonly name: string;
  readonly namespace?: string;
  readonly hash?: string;
  /** The root first. */
  readonly chain: readonly string[];
  readonly fields: readonly ExplainedField[];
}

/** Explains what admission wrote into spec.resolved, so it is what the operator works from. */
export async function explainSandbox(host: Host, options: ExplainOptions): Promise<void> {
  const output = parseOutput(options.output);
  const name = sandboxNames([options.name])[0] ?? '';
  const sandbox = await withCluster(host, options, (cluster) => getSandbox(host, cluster, name));
  const resolved = sandbox.spec?.resolved;
  if (resolved === undefined) {
    throw new CommandError(
      `sandbox "${name}" has no resolved spec: it was stored while AgentTier's webhook was away, and the operator will not run it before it is applied again`,
    );
  }
  return print(host, output, {
    kind: 'Sandbox',
    name,
    ...(sandbox.metadata.namespace === undefined ? {} : { namespace: sandbox.metadata.namespace }),
    hash: resolved.hash,
    chain: (resolved.chain ?? []).map(originOf),
    fields: explainFields(resolved.spec ?? {}, resolved.origins ?? {}),
  });
}

/** Explains a template by composing its chain the way admission does; a sandbox and policy may change more. */
export async function explainTemplate(host: Host, options: ExplainOptions): Promise<void> {
  const output = parseOutput(options.output);
  const ref = templateRef(options.name);
  const chain = await withCluster(host, options, (cluster) => loadChain(host, cluster, ref));
  const { spec, origins } = mergeChain(chain);
  const leaf = chain.at(-1);
  return print(host, output, {
    kind: leaf?.kind ?? 'ClusterSandboxTemplate',
    name: ref.name,
    ...(leaf?.kind === 'SandboxTemplate' && leaf.metadata.namespace
      ? { namespace: leaf.metadata.namespace }
      : {}),
    chain: chain.map(originOf),
    fields: explainFields(spec, origins),
  });
}

const COLUMNS: readonly Column<ExplainedField>[] = [
  { header: 'FIELD', value: ({ field }) => field },
  { header: 'VALUE', value: ({ value }) => valueText(value) },
  { header: 'ORIGIN', value: ({ origin }) => origin },
];

async function print(host: Host, output: Output, explanation: Explanation): Promise<void> {
  if (output.kind === 'name')
    throw new CommandError('explain prints a table, json, yaml or jsonpath, not names');
  if (output.kind !== 'table') return write(host.streams.out, await renderValue(output, explanation));
  const chain = explanation.chain.length === 0 ? 'no template' : explanation.chain.join(' <- ');
  await write(
    host.streams.out,
    `${explanation.kind} ${explanation.name}\nTemplates (root first): ${chain}\n\n`,
  );
  await write(host.streams.out, renderTable(explanation.fields, COLUMNS, {}));
}
