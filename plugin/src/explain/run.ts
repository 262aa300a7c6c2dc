// SPDX-License-Identifier: Apache-2.0
import type { BoundField, FieldBound } from '@agenttier/crds/explain/bounds';
import { type Explanation, explainSandbox, explainTemplate } from '@agenttier/crds/explain/explanation';
import { loadChain } from '@agenttier/crds/explain/judge';
import { policiesIfReadable } from '../client/policies.ts';
import { getSandbox, sandboxNames } from '../client/sandboxes.ts';
import { readTemplate } from '../client/templates.ts';
import { withCluster } from '../context/cluster.ts';
import { CommandError } from '../context/failure.ts';
import { type GlobalFlags, type Host, write } from '../context/host.ts';
import { templateRef } from '../create/manifest.ts';
import { usageTable } from '../policy/usageTable.ts';
import { type Output, parseOutput, renderValue } from '../printers/output.ts';
import { type Column, renderTable } from '../printers/table.ts';
import { valueText } from './valueText.ts';

export interface ExplainOptions extends GlobalFlags {
  readonly name: string;
  readonly output?: string;
}

/** Explains what admission wrote into spec.resolved, so it is what the operator works from. */
export async function runExplainSandbox(host: Host, options: ExplainOptions): Promise<void> {
  const output = parseOutput(options.output);
  const name = sandboxNames([options.name])[0] ?? '';
  const explanation = await withCluster(host, options, async (cluster) => {
    const [sandbox, policies] = await Promise.all([
      getSandbox(host, cluster, name),
      policiesIfReadable(host, cluster, cluster.namespace),
    ]);
    return explainSandbox(sandbox, { policies, users: 'all' });
  });
  if (explanation === undefined) {
    throw new CommandError(
      `sandbox "${name}" has no resolved spec: it was stored while AgentTier's webhook was away, and the operator will not run it before it is applied again`,
    );
  }
  return print(host, output, explanation);
}

/** Explains a template by composing its chain the way admission does; a sandbox and policy may change more. */
export async function runExplainTemplate(host: Host, options: ExplainOptions): Promise<void> {
  const output = parseOutput(options.output);
  const ref = templateRef(options.name);
  const explanation = await withCluster(host, options, async (cluster) => {
    const [{ composition }, policies] = await Promise.all([
      loadChain(ref, cluster.namespace, {
        own: () => undefined,
        read: (key) => readTemplate(host, cluster, key),
      }),
      policiesIfReadable(host, cluster, cluster.namespace),
    ]);
    if (!composition.ok) throw new CommandError(composition.violation.message);
    return explainTemplate(composition.chain, cluster.namespace, { policies, users: 'all' });
  });
  return print(host, output, explanation);
}

const limitText = ({ limit, policy, scope }: FieldBound): string => `${limit} (${scope} ${policy})`;

const COLUMNS: readonly Column<BoundField>[] = [
  { header: 'FIELD', value: ({ field }) => field },
  { header: 'VALUE', value: ({ value }) => valueText(value) },
  { header: 'ORIGIN', value: ({ origin }) => origin },
  { header: 'LIMIT', value: ({ bounds }) => bounds.map(limitText).join('; ') },
  { header: 'HEADROOM', value: ({ bounds }) => bounds.map(({ headroom = '' }) => headroom).join(' ') },
];

async function print(host: Host, output: Output, explanation: Explanation): Promise<void> {
  if (output.kind === 'name')
    throw new CommandError('explain prints a table, json, yaml or jsonpath, not names');
  if (output.kind !== 'table') return write(host.streams.out, await renderValue(output, explanation));
  const { kind, name, chain, fields, usage, policiesKnown } = explanation;
  const templates = chain.length === 0 ? 'no template' : chain.join(' <- ');
  const blind = policiesKnown ? '' : 'Policies: not shown, you may not read them\n';
  await write(host.streams.out, `${kind} ${name}\nTemplates (root first): ${templates}\n${blind}\n`);
  await write(host.streams.out, renderTable(fields, COLUMNS, {}));
  if (usage.length > 0) await write(host.streams.out, `\nCounted by policy:\n${usageTable(usage, {})}`);
}
