// SPDX-License-Identifier: Apache-2.0
import { WebSocket } from 'ws';
import type { Target } from './rest.ts';
import { type Figure, figure } from './stats.ts';

/**
 * Key to echo: one character typed into `cat` through the terminal WebSocket with JSON text frames, until the kernel's
 * echo of that very character is back. Characters differ from one press to the next, so a late echo cannot be mistaken.
 */
export async function measureEcho(target: Target, name: string, rounds: number): Promise<Figure> {
  const url = `${target.url.replace(/^http/, 'ws')}/ws/terminal/${name}?namespace=${target.namespace}`;
  const socket = new WebSocket(url, { headers: { 'X-API-Key': target.key } });
  let heard: (text: string) => void = () => {};
  socket.on('message', (data: Buffer) => {
    const frame = JSON.parse(data.toString()) as { type: string; data?: string };
    if (frame.type === 'output') heard(frame.data ?? '');
  });
  const type = (data: string): void => socket.send(JSON.stringify({ type: 'input', data }));
  const untilHeard = (wanted: string): Promise<void> =>
    new Promise((resolve, reject) => {
      let output = '';
      const timer = setTimeout(
        () => reject(new Error(`no echo of ${JSON.stringify(wanted)}: ${output}`)),
        20_000,
      );
      heard = (text) => {
        output += text;
        if (!output.includes(wanted)) return;
        clearTimeout(timer);
        resolve();
      };
    });
  await new Promise((resolve, reject) => {
    socket.once('open', resolve);
    socket.once('error', reject);
  });
  const ready = untilHeard('ready-for-keys');
  type("echo ready''-for''-keys; exec cat > /dev/null\r");
  await ready;
  const values: number[] = [];
  for (let round = 0; round < rounds + 20; round += 1) {
    const key = String.fromCharCode(97 + (round % 26));
    const echoed = untilHeard(key);
    const started = performance.now();
    type(key);
    await echoed;
    if (round >= 20) values.push(performance.now() - started);
    if (round % 64 === 63) {
      const line = untilHeard('\n'); // a terminal line holds 4096 characters at most
      type('\r');
      await line;
    }
  }
  socket.close();
  return figure('terminal echo', values, 'WebSocket, JSON frames, `cat` in the sandbox');
}
