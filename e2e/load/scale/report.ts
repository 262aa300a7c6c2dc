// SPDX-License-Identifier: Apache-2.0
import type { AdmissionReport } from '../admissionReport.ts';
import type { Step } from './measure.ts';

export interface ScaleReport {
  readonly at: string;
  readonly machine: AdmissionReport['machine'];
  readonly steps: readonly Step[];
}

const number = (value: number, digits = 1): string => value.toFixed(digits);

const ROWS: readonly (readonly [string, (step: Step) => string])[] = [
  ['sandboxes brought to Running a second', (step) => number(step.perSecond)],
  ['operator CPU for one start', (step) => `${number(step.cpuPerStart, 2)} ms`],
  ['API writes of the operator for one start', (step) => number(step.writesPerStart, 2)],
  ['of them refused', (step) => String(step.refused)],
  ['operator CPU for one event that nothing follows from', (step) => `${number(step.cpuPerEvent, 2)} ms`],
  ['API writes for such an event', (step) => number(step.writesPerEvent, 2)],
  ['a cluster policy edited: operator CPU', (step) => `${number(step.policyEdit.cpu, 0)} ms`],
  ['a cluster policy edited: all sandboxes judged after', (step) => `${number(step.policyEdit.ms, 0)} ms`],
  ['a cluster policy edited: API writes', (step) => String(step.policyEdit.writes)],
  ['operator memory at rest', (step) => `${number(step.memoryIdle, 0)} MiB`],
  ['operator memory, peak', (step) => `${number(step.memoryPeak, 0)} MiB`],
  ['restart: ready after', (step) => `${number(step.restart.ready, 0)} ms`],
  ['restart: every sandbox looked at after', (step) => `${number(step.restart.settled, 0)} ms`],
  ['restart: operator CPU', (step) => `${number(step.restart.cpu, 0)} ms`],
  ['restart: API writes', (step) => String(step.restart.writes)],
];

/** What one more sandbox adds, between the first and the last step; one step alone has no slope. */
export function slope(steps: readonly Step[], value: (step: Step) => number): number | undefined {
  const [first] = steps;
  const last = steps.at(-1);
  if (first === undefined || last === undefined || last.sandboxes === first.sandboxes) return undefined;
  return (value(last) - value(first)) / (last.sandboxes - first.sandboxes);
}

function slopes(steps: readonly Step[]): string[] {
  const memory = slope(steps, ({ memoryIdle }) => memoryIdle * 1024);
  if (memory === undefined) return [];
  const of = (value: (step: Step) => number): string => number(slope(steps, value) ?? 0, 3);
  return [
    '',
    'What one more sandbox adds, from the first column to the last:',
    '',
    `- memory at rest: ${number(memory)} KiB`,
    `- restart, until every sandbox was looked at: ${of(({ restart }) => restart.settled)} ms`,
    `- an edit of the cluster policy: ${of(({ policyEdit }) => policyEdit.cpu)} ms of CPU`,
    `- CPU for one event: ${of(({ cpuPerEvent }) => cpuPerEvent * 1000)} µs`,
  ];
}

/** The measured part of docs/performance-scale.md. */
export function section({ at, machine, steps }: ScaleReport): string {
  const last = steps.at(-1);
  const writes = Object.entries(last?.writes ?? {})
    .toSorted(([, a], [, b]) => b - a)
    .map(([what, count]) => `${what} ${number(count / (last?.created ?? 1), 2)}`);
  return [
    `Measured ${at.slice(0, 10)} with Node ${machine.node} on ${machine.cpus} CPUs, load average ${machine.loadBefore} before the start.`,
    '',
    `| Sandboxes | ${steps.map(({ sandboxes }) => sandboxes.toLocaleString('en')).join(' | ')} |`,
    `|---|${steps.map(() => '---').join('|')}|`,
    ...ROWS.map(([name, value]) => `| ${name} | ${steps.map(value).join(' | ')} |`),
    '',
    `API writes for one start, in the last column: ${writes.join(', ')}.`,
    ...slopes(steps),
  ].join('\n');
}
