// SPDX-License-Identifier: Apache-2.0
import { readDocuments, type SourceDocument } from '../client/documents.ts';
import { withCluster } from '../context/cluster.ts';
import { CommandError } from '../context/failure.ts';
import { type GlobalFlags, type Host, write } from '../context/host.ts';
import { parseOutput, renderValue } from '../printers/output.ts';
import { judgeAll } from './judge.ts';
import { verdictJson, verdictLines } from './verdict.ts';

export interface CheckOptions extends GlobalFlags {
  readonly filename: readonly string[];
  readonly recursive?: boolean;
  readonly output?: string;
}

/** Answers 1 when any object was refused. */
export async function runCheck(host: Host, options: CheckOptions): Promise<number> {
  const output = parseOutput(options.output);
  if (output.kind === 'name') throw new CommandError('check prints text, json, yaml or jsonpath, not names');
  const documents: SourceDocument[] = [];
  for (const path of new Set(options.filename)) {
    documents.push(...(await readDocuments(host, path, options.recursive)));
  }
  const verdicts = await withCluster(host, options, (cluster) =>
    judgeAll(host, { cluster, documents, flags: options }),
  );
  const passed = verdicts.every(({ allowed }) => allowed);
  const text =
    output.kind === 'table'
      ? verdicts.map(verdictLines).join('')
      : await renderValue(output, { allowed: passed, verdicts: verdicts.map(verdictJson) });
  await write(host.streams.out, text);
  return passed ? 0 : 1;
}
