// SPDX-License-Identifier: Apache-2.0
import type { TerminalDevice, WindowSize } from './host.ts';

/**
 * The terminal that this process was started on. The hooks of `onProcessEnd` run on a normal end, on an uncaught error
 * and on the signals that would otherwise kill the process with its terminal still raw.
 */
export function processTerminal(process: NodeJS.Process): TerminalDevice {
  const { stdin, stdout } = process;
  return {
    interactive: stdin.isTTY && stdout.isTTY,
    size: (): WindowSize | undefined =>
      stdout.isTTY ? { cols: stdout.columns, rows: stdout.rows } : undefined,
    setRaw: (raw) => {
      if (stdin.isTTY) stdin.setRawMode(raw);
    },
    onResize: (callback) => {
      stdout.on('resize', callback);
      return () => void stdout.off('resize', callback);
    },
    onProcessEnd: (callback) => {
      const hangUp = (): void => process.exit(129);
      process.on('exit', callback);
      process.on('SIGHUP', hangUp);
      return () => {
        process.off('exit', callback);
        process.off('SIGHUP', hangUp);
      };
    },
  };
}
