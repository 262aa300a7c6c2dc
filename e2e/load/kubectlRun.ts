// SPDX-License-Identifier: Apache-2.0
import { ended, kubectlExec } from './kubectl.ts';
import { type Target, timed } from './rest.ts';
import { type Figure, figure } from './stats.ts';

/** Exec of `true` by `kubectl exec`, a process each, as a script without AgentTier would do it. */
export async function measureKubectlRun(target: Target, name: string, rounds: number): Promise<Figure> {
  const values: number[] = [];
  for (let round = 0; round < rounds; round += 1) {
    values.push(
      await timed(() => {
        const child = kubectlExec(target, name, 'true');
        child.stdin.end();
        child.stdout.resume();
        return ended(child);
      }),
    );
  }
  return figure('kubectl exec `true`', values, 'a process each, sequential');
}
