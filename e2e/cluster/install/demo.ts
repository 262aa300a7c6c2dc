// SPDX-License-Identifier: Apache-2.0
import { join } from 'node:path';
import { describeTrouble } from './chart.ts';
import { waitFor } from '../host/waitFor.ts';
import type { Kubectl } from './kubectl.ts';

export const DEMO = { namespace: 'demo', sandbox: 'hello' } as const;

/** Applies the demo and waits until its sandbox runs: the proof that everything before it works together. */
export async function runDemo(root: string, kubectl: Kubectl): Promise<string> {
  const { namespace, sandbox } = DEMO;
  await kubectl.waitFor(
    ['clustersandboxtemplate', 'minimal-shell'],
    '{.metadata.name}',
    (name) => name !== '',
    60_000,
  );
  await kubectl.run('apply', '-f', join(root, 'examples', 'demo.yaml'));
  try {
    await kubectl.waitFor(
      ['-n', namespace, 'sandbox', sandbox],
      '{.status.phase}',
      (phase) => phase === 'Running',
      120_000,
    );
    // After a crash of the node the phase may be from before it; a command that runs is from now.
    await waitFor({ what: `a command in ${sandbox}`, deadlineMs: 120_000, everyMs: 200 }, async () => {
      const ran = await kubectl.try('-n', namespace, 'exec', `${sandbox}-pod`, '-c', 'sandbox', '--', 'true');
      return ran.code === 0 ? true : ran.stderr.trim().slice(-200);
    });
  } catch (error) {
    const status = (await kubectl.try('-n', namespace, 'get', 'sandbox', sandbox, '-o', 'jsonpath={.status}'))
      .stdout;
    throw new Error(`${String(error)}\nstatus: ${status}\n${await describeTrouble(kubectl, namespace)}`, {
      cause: error,
    });
  }
  return `sandbox ${namespace}/${sandbox} is Running`;
}
