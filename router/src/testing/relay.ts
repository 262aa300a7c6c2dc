// SPDX-License-Identifier: Apache-2.0
import { spawn } from 'node:child_process';
import type { FakeExec } from './fakePodExec.ts';
import type { RealRuntime } from './realRuntime.ts';

/** Runs the relay of the real program for whatever is executed in the pod. */
export function relayInto(runtime: RealRuntime): (exec: FakeExec) => void {
  return (exec) => {
    const options = ['--addr', `127.0.0.1:${runtime.port}`, '--token-file', runtime.tokenFile];
    const child = spawn(runtime.binary, ['relay', ...options]);
    exec.onInput = (bytes) => child.stdin.write(bytes);
    exec.onLeft = () => child.stdin.end();
    child.stdin.on('error', () => undefined);
    child.stdout.on('data', (bytes: Buffer) => exec.output(bytes));
    child.stderr.on('data', (bytes: Buffer) => exec.output(bytes, 2));
    child.on('close', (code) => exec.exit(code ?? 1));
  };
}
