// SPDX-License-Identifier: Apache-2.0
import { spawn } from '@lydell/node-pty';
import { WebSocket } from 'ws';
import { terminalArguments } from './kubectl.ts';
import type { Target } from './rest.ts';
import { type Figure, figure } from './stats.ts';

/** Where one types and what is printed then. */
interface Keyboard {
  readonly type: (text: string) => void;
  heard: (text: string) => void;
}

const WARM = 20;

/**
 * Key to echo: one character typed into `cat` through the terminal WebSocket with JSON text frames, until the kernel's
 * echo of that very character is back. Characters differ from one press to the next, so a late echo cannot be mistaken.
 */
export async function measureEcho(target: Target, name: string, rounds: number): Promise<Figure> {
  const url = `${target.url.replace(/^http/, 'ws')}/ws/terminal/${name}?namespace=${target.namespace}&session=echo`;
  const socket = new WebSocket(url, { headers: { 'X-API-Key': target.key } });
  const keyboard: Keyboard = {
    type: (data) => socket.send(JSON.stringify({ type: 'input', data })),
    heard: () => {},
  };
  socket.on('message', (data: Buffer) => {
    const frame = JSON.parse(data.toString()) as { type: string; data?: string };
    if (frame.type === 'output') keyboard.heard(frame.data ?? '');
  });
  await new Promise((resolve, reject) => {
    socket.once('open', resolve);
    socket.once('error', reject);
  });
  const ready = untilHeard(keyboard, 'ready-for-keys');
  keyboard.type("echo ready''-for''-keys; exec cat > /dev/null\r");
  await ready;
  const values = await pressKeys(keyboard, rounds);
  socket.close();
  return figure('terminal echo', values, 'WebSocket, JSON frames, `cat` in the sandbox');
}

/** The same keys through `kubectl exec -it`, which has a terminal of its own here. */
export async function measureKubectlEcho(target: Target, name: string, rounds: number): Promise<Figure> {
  const args = terminalArguments(target, name, 'echo ready-for-keys; exec cat > /dev/null');
  const pty = spawn('kubectl', args, { cols: 120, rows: 40, env: process.env });
  const keyboard: Keyboard = { type: (text) => pty.write(text), heard: () => {} };
  pty.onData((text) => keyboard.heard(text));
  try {
    await untilHeard(keyboard, 'ready-for-keys');
    const values = await pressKeys(keyboard, rounds);
    return figure('kubectl exec echo', values, '`kubectl exec -it`, `cat` in the same sandbox');
  } finally {
    pty.kill();
  }
}

async function pressKeys(keyboard: Keyboard, rounds: number): Promise<number[]> {
  const values: number[] = [];
  for (let round = 0; round < rounds + WARM; round += 1) {
    const key = String.fromCharCode(97 + (round % 26));
    const echoed = untilHeard(keyboard, key);
    const started = performance.now();
    keyboard.type(key);
    await echoed;
    if (round >= WARM) values.push(performance.now() - started);
    if (round % 64 === 63) {
      const line = untilHeard(keyboard, '\n'); // a terminal line holds 4096 characters at most
      keyboard.type('\r');
      await line;
    }
  }
  return values;
}

function untilHeard(keyboard: Keyboard, wanted: string): Promise<void> {
  return new Promise((resolve, reject) => {
    let output = '';
    const timer = setTimeout(
      () => reject(new Error(`no echo of ${JSON.stringify(wanted)}: ${output}`)),
      20_000,
    );
    keyboard.heard = (text) => {
      output += text;
      if (!output.includes(wanted)) return;
      clearTimeout(timer);
      resolve();
    };
  });
}
