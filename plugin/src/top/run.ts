// SPDX-License-Identifier: Apache-2.0
import { openSandboxRest } from '../client/rest.ts';
import type { Host } from '../context/host.ts';
import type { VerbOptions } from '../context/verb.ts';
import { formatAge } from '../printers/age.ts';
import { printRows } from '../printers/answer.ts';
import { formatBytes } from '../printers/bytes.ts';
import type { Column } from '../printers/table.ts';

interface Stats {
  readonly cpu?: { readonly usageUsec: number };
  readonly memory?: { readonly workingSet: number; readonly limit?: number; readonly oomKills: number };
  readonly pids?: { readonly current: number };
  readonly workspace?: { readonly used: number; readonly total: number };
}

interface Row extends Stats {
  readonly name: string;
}

const COLUMNS: readonly Column<Row>[] = [
  { header: 'NAME', value: ({ name }) => name },
  { header: 'CPU-TIME', value: ({ cpu }) => cpu && formatAge(cpu.usageUsec / 1000) },
  { header: 'MEMORY', value: ({ memory }) => memory && ofTotal(memory.workingSet, memory.limit) },
  { header: 'PROCESSES', value: ({ pids }) => pids && String(pids.current) },
  { header: 'DISK', value: ({ workspace }) => workspace && ofTotal(workspace.used, workspace.total) },
  { header: 'OOM-KILLS', wide: true, value: ({ memory }) => memory && String(memory.oomKills) },
];

const ofTotal = (used: number, total: number | undefined): string =>
  total === undefined ? formatBytes(used) : `${formatBytes(used)} of ${formatBytes(total)}`;

export async function runTop(host: Host, options: VerbOptions): Promise<void> {
  const rows = await Promise.all(
    options.args.map(async (name): Promise<Row> => {
      const rest = await openSandboxRest(host, options, name);
      return { name, ...(await rest.call<Stats>('/stats')) };
    }),
  );
  await printRows(host, options, { sandboxes: rows }, { rows, columns: COLUMNS, none: 'Nothing to show' });
}
