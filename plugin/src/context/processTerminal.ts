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
      if (!stdin.isTTY) return;
      stdin.setRawMode(raw);
      if (raw) passOutputThrough(process);
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

/**
 * libuv's raw mode keeps ONLCR (uv_tty_set_mode), so a line feed from the far side, which means "one down" to a full-screen
 * program, would also go to column one. Node has no call for it; stty is on every Unix. Leaving raw mode puts all settings
 * back as they were before. Without a stty only such programs look odd.
 */
function passOutputThrough(process: NodeJS.Process): void {
  // By this call and not by an import, since every start would pay for the import.
  const { spawnSync } = process.getBuiltinModule('node:child_process');
  spawnSync('stty', ['-opost'], { stdio: ['inherit', 'ignore', 'ignore'], timeout: 2000 });
}
