// SPDX-License-Identifier: Apache-2.0
import { constants } from 'node:os';

/** The exit code a shell would report: 128 + n for a process that signal n ended. `signal` is a name such as SIGKILL. */
export function exitCodeOf(code: number, signal: string | undefined): number {
  if (signal === undefined || code > 0) return code < 0 ? 1 : code;
  const name = (/^SIG/i.test(signal) ? signal : `SIG${signal}`).toUpperCase();
  const number = (constants.signals as Readonly<Record<string, number>>)[name];
  return number === undefined ? 1 : 128 + number;
}
