// SPDX-License-Identifier: Apache-2.0
import type { Host } from '../context/host.ts';

/**
 * Puts the person's terminal into raw mode. The result puts it back, once, and also runs by itself at any other end of
 * the process (error, hang-up, SIGTERM): a shell without echo is what people remember of a tool. `undo` is printed first.
 */
export function enterRaw(host: Host, undo: () => string): () => void {
  if (!host.terminal.interactive) return () => undefined;
  let entered = true;
  const leave = (): void => {
    if (!entered) return;
    entered = false;
    cancel();
    const text = undo();
    if (text !== '') host.streams.out.write(text);
    host.terminal.setRaw(false);
  };
  const cancel = host.terminal.onProcessEnd(leave);
  host.terminal.setRaw(true);
  return leave;
}
