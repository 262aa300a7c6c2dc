// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from 'vitest';
import type { TerminalPoint } from '../../data/terminal.ts';
import { until } from '../../testing/page.ts';
import { TerminalLink } from './link.ts';
import type { LinkState } from './link.ts';

/** A socket whose other end is the test. */
class Socket extends EventTarget {
  readyState: number = WebSocket.OPEN;
  readonly sent: (string | Uint8Array)[] = [];

  send(data: string | Uint8Array): void {
    this.sent.push(data);
  }

  close(code = 1000): void {
    this.drop(code);
  }

  say(frame: object): void {
    this.dispatchEvent(new MessageEvent('message', { data: JSON.stringify(frame) }));
  }

  print(text: string): void {
    this.dispatchEvent(new MessageEvent('message', { data: new TextEncoder().encode(text).buffer }));
  }

  drop(code: number): void {
    if (this.readyState === WebSocket.CLOSED) return;
    this.readyState = WebSocket.CLOSED;
    this.dispatchEvent(new CloseEvent('close', { code }));
  }
}

function setUp(options: { readonly?: boolean; viewer?: boolean; refuse?: () => Error | undefined } = {}) {
  const sockets: Socket[] = [];
  const points: TerminalPoint[] = [];
  const states: LinkState[] = [];
  let shown = '';
  const link = new TerminalLink({
    open: async (point) => {
      const error = options.refuse?.();
      if (error) throw error;
      points.push(point);
      const socket = new Socket();
      sockets.push(socket);
      const watching = options.readonly === true || options.viewer === true;
      return { socket: socket as unknown as WebSocket, watching };
    },
    session: 'main',
    readonly: options.readonly ?? false,
    size: () => ({ cols: 80, rows: 24 }),
    random: () => 0,
    events: {
      state: (state) => void states.push(state),
      output: (bytes) => void (shown += new TextDecoder().decode(bytes)),
      reset: () => void (shown = ''),
      control: () => undefined,
      watching: () => undefined,
    },
  });
  link.start();
  const socket = (at: number): Promise<Socket> => until(`connection ${at}`, () => sockets[at]);
  return { link, socket, points, states, shown: () => shown };
}

const ready = (offset: number, reset = false) => ({
  type: 'ready',
  session: 'main',
  offset,
  reset,
  cols: 80,
  rows: 24,
});

describe('a terminal link', () => {
  it('asks after a break for the bytes from where it stopped', async () => {
    const { socket, points, states, shown } = setUp();
    const first = await socket(0);
    first.say(ready(100, true));
    first.print('hello');
    first.drop(1006);
    const second = await socket(1);
    second.say(ready(105));
    second.print(' again');
    expect(points.map(({ since }) => since)).toEqual([undefined, 105]);
    expect(shown()).toBe('hello again');
    expect(states).toEqual(['connecting', 'connected', 'reconnecting', 'connected']);
  });

  it('clears what is shown when earlier output is gone', async () => {
    const { socket, shown } = setUp();
    const first = await socket(0);
    first.say(ready(0));
    first.print('old');
    first.drop(1012);
    const second = await socket(1);
    second.say(ready(9_000, true));
    second.print('new');
    expect(shown()).toBe('new');
  });

  it.each([
    ['a stopped sandbox', 4001],
    ['access that was taken away', 4003],
  ])('does not come back after %s', async (_what, code) => {
    const { socket, states } = setUp();
    (await socket(0)).say(ready(0));
    (await socket(0)).drop(code);
    expect(states.at(-1)).toBe('closed');
  });

  it('ends with the shell', async () => {
    const { socket, states } = setUp();
    const only = await socket(0);
    only.say(ready(0));
    only.say({ type: 'exit', code: 3 });
    only.drop(1000);
    expect(states).toEqual(['connecting', 'connected', 'ended']);
  });

  it('tries again when the server is away', async () => {
    let tries = 0;
    const { socket } = setUp({ refuse: () => (++tries < 3 ? new TypeError('no network') : undefined) });
    await socket(0);
    expect(tries).toBe(3);
  });

  it.each([
    ['wants to', { readonly: true }],
    ['may no more than', { viewer: true }],
  ])('types nothing and sizes nothing for somebody who %s look on', async (_what, options) => {
    const { link, socket } = setUp(options);
    const only = await socket(0);
    only.say(ready(0));
    expect(link.send(new Uint8Array([65]))).toBe(false);
    link.resize(10, 10);
    expect(only.sent).toEqual([]);
  });
});
