// SPDX-License-Identifier: Apache-2.0
import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import type { Target } from './rest.ts';

/** The pod of a sandbox, as `kubectl exec` names it. */
const podOf = (name: string): string => `${name}-pod`;

/** `kubectl exec` of a shell command in a sandbox: what people have without AgentTier. */
export function kubectlExec(target: Target, name: string, script: string): ChildProcessWithoutNullStreams {
  const args = ['exec', '-i', '-n', target.namespace, podOf(name), '--', '/bin/sh', '-c', script];
  return spawn('kubectl', args);
}

/** Arguments of a `kubectl exec` that needs a terminal of its own. */
export const terminalArguments = (target: Target, name: string, script: string): string[] => [
  'exec',
  '-it',
  '-n',
  target.namespace,
  podOf(name),
  '--',
  '/bin/sh',
  '-c',
  script,
];

/** Resolves when the process has ended well; rejects with what it complained of. */
export function ended(child: ChildProcessWithoutNullStreams): Promise<void> {
  let complaint = '';
  child.stderr.on('data', (text: Buffer) => (complaint += text.toString()));
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (code) =>
      code === 0 ? resolve() : reject(new Error(`kubectl ended with ${code}: ${complaint}`)),
    );
  });
}
