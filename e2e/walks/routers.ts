// SPDX-License-Identifier: Apache-2.0
import { kubectl, until } from './harness.ts';

const NAMESPACE = 'agenttier';

/** One figure of one replica, summed over its labels; undefined while it cannot be asked. */
export async function figureOf(pod: string, name: string): Promise<number | undefined> {
  const path = `/api/v1/namespaces/${NAMESPACE}/pods/http:${pod}:8080/proxy/metrics`;
  const { code, stdout } = await kubectl(['get', '--raw', path]);
  if (code !== 0) return undefined;
  const lines = stdout
    .split('\n')
    .filter((line) => line.startsWith(`${name}{`) || line.startsWith(`${name} `));
  return lines.reduce((sum, line) => sum + Number(line.slice(line.lastIndexOf(' ') + 1)), 0);
}

/** Memory of one replica. It is asked until it answers: who is busy and says nothing has not shrunk to nothing. */
export const residentOf = (pod: string): Promise<number> =>
  until(
    `the memory of ${pod}`,
    async () => (await figureOf(pod, 'process_resident_memory_bytes')) || undefined,
    30_000,
  );
