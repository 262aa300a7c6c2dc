// SPDX-License-Identifier: Apache-2.0
import { create, exec, outOfStep, remove, resume, stop, type Target, timed, untilStatus } from './rest.ts';
import { type Figure, figure } from './stats.ts';

const BY_REST = 'REST, phase asked for each 5 ms';

/** A sandbox's life, one after another on an idle node with the image present: create, first exec, stop, resume. */
export async function measureLifecycle(target: Target, rounds: number): Promise<Figure[]> {
  const running: number[] = [];
  const firstExec: number[] = [];
  const stopped: number[] = [];
  const resumed: number[] = [];
  for (let round = 0; round < rounds; round += 1) {
    await outOfStep();
    const name = `bench-${Date.now().toString(36)}-${round}`;
    const started = performance.now();
    await create(target, name);
    await untilStatus(target, name, 'Running');
    running.push(performance.now() - started);
    await exec(target, name);
    firstExec.push(performance.now() - started);
    await outOfStep();
    stopped.push(
      await timed(async () => {
        await stop(target, name);
        await untilStatus(target, name, 'Stopped');
      }),
    );
    resumed.push(
      await timed(async () => {
        await resume(target, name);
        await untilStatus(target, name, 'Running');
      }),
    );
    await remove(target, name);
  }
  return [
    figure('cold create → Running', running, BY_REST),
    figure('cold create → first exec answered', firstExec, BY_REST),
    figure('stop → Stopped (pod gone)', stopped, BY_REST),
    figure('resume → Running', resumed, BY_REST),
  ];
}

/** Many creates in the same instant, by clients that do not know of each other, until the last one is Running. */
export async function measureTogether(target: Target, count: number, bursts: number): Promise<Figure> {
  const values: number[] = [];
  for (let burst = 0; burst < bursts; burst += 1) {
    await outOfStep();
    const stamp = Date.now().toString(36);
    const names = Array.from({ length: count }, (_, index) => `together-${stamp}-${index}`);
    values.push(
      await timed(() =>
        Promise.all(
          names.map(async (name) => {
            await create(target, name, { resources: SMALL });
            await untilStatus(target, name, 'Running', RARELY_MS);
          }),
        ),
      ),
    );
    await Promise.all(names.map((name) => remove(target, name)));
  }
  return figure(
    `${count} creates at once → all Running`,
    values,
    `REST, phase of each asked for each ${RARELY_MS} ms`,
  );
}

/** Twenty that ask each 5 ms would take the CPU from what they measure. */
const RARELY_MS = 50;
/** So small that all of them fit onto a node of two cores. */
const SMALL = { requests: { cpu: '20m', memory: '32Mi' } };

/** Exec of `true` in a running sandbox, one after another over kept-alive connections. */
export async function measureExec(target: Target, name: string, rounds: number): Promise<Figure> {
  for (let warm = 0; warm < 20; warm += 1) await exec(target, name);
  const values: number[] = [];
  for (let round = 0; round < rounds; round += 1) values.push(await timed(() => exec(target, name)));
  return figure('exec `true`', values, 'REST, sequential');
}
