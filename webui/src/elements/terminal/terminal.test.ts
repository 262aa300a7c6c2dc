// SPDX-License-Identifier: Apache-2.0
import { afterEach, describe, expect, it } from 'vitest';
import { userEvent } from 'vitest/browser';
import { barriers, dress, FakeServer, show, until } from '../../testing/page.ts';
import './terminal.ts';

/** A socket whose other end is the test. */
class Socket extends EventTarget {
  static readonly OPEN = 1;
  static readonly CLOSED = 3;
  static readonly all: Socket[] = [];
  readyState = 1;
  binaryType = '';
  readonly sent: string[] = [];
  readonly url: string;

  constructor(url: URL) {
    super();
    this.url = String(url);
    Socket.all.push(this);
  }

  send(data: string | Uint8Array): void {
    this.sent.push(typeof data === 'string' ? data : new TextDecoder().decode(data));
  }

  close(code = 1000): void {
    if (this.readyState === Socket.CLOSED) return;
    this.readyState = Socket.CLOSED;
    this.dispatchEvent(new CloseEvent('close', { code }));
  }

  say(frame: object): void {
    this.dispatchEvent(new MessageEvent('message', { data: JSON.stringify(frame) }));
  }

  print(text: string): void {
    this.dispatchEvent(new MessageEvent('message', { data: new TextEncoder().encode(text).buffer }));
  }
}

const RealSocket = globalThis.WebSocket;
afterEach(() => {
  globalThis.WebSocket = RealSocket;
  Socket.all.length = 0;
});

async function terminalOf(mode: 'control' | 'view' = 'control') {
  globalThis.WebSocket = Socket as unknown as typeof WebSocket;
  const fake = new FakeServer()
    .on('POST /sandboxes/box/terminal-tickets', () => ({ ticket: 't', mode }), 201)
    .on('POST /sandboxes/box/activity', () => new Response(undefined, { status: 204 }));
  const element = document.createElement('agenttier-terminal');
  Object.assign(element, { server: fake.server, sandboxId: 'box', namespace: 'team' });
  element.style.height = '20rem';
  await show(element);
  const root = element.shadowRoot as ShadowRoot;
  const socket = await until('the socket', () => Socket.all[0]);
  socket.say({ type: 'ready', session: 'main', offset: 0, reset: false, cols: 90, rows: 20 });
  await until('the state', () => root.querySelector('.state')?.textContent === 'Connected');
  const button = (text: string): HTMLButtonElement =>
    [...root.querySelectorAll('button')].find((one) =>
      [one.ariaLabel, one.title, one.textContent?.trim()].includes(text),
    ) as HTMLButtonElement;
  return { element, root, socket, fake, button };
}

describe('agenttier-terminal', () => {
  it('sends what is typed and shows what is printed', async () => {
    const { element, socket } = await terminalOf();
    socket.print('hello\r\n');
    await until('the output', () => element.text.includes('hello'));
    element.focus();
    await userEvent.keyboard('ls');
    await until('the input', () => socket.sent.join('').includes('ls'));
  });

  it('says who is here, and who only looks on', async () => {
    const { element, root, socket } = await terminalOf();
    const told = new Promise((resolve) => element.addEventListener('agenttier-terminal-presence', resolve));
    socket.say({
      type: 'presence',
      people: [
        { name: 'Ann', mode: 'control' },
        { name: 'Bob', mode: 'view' },
      ],
    });
    await told;
    await element.updateComplete;
    const people = [...root.querySelectorAll('.people li .visually-hidden')].map((one) => one.textContent);
    expect(people).toEqual(['Ann works here', 'Bob looks on']);
  });

  it('tells a viewer so, in the size of those who work, and sends nothing', async () => {
    const { element, root, socket, button } = await terminalOf('view');
    expect(root.querySelector('.chip')?.textContent).toBe('View only');
    expect(button('Paste')).toBeUndefined();
    expect(new URL(socket.url).searchParams.get('mode')).toBe('view');
    socket.say({ type: 'size', cols: 61, rows: 9 });
    socket.print('x'.repeat(70));
    await until('the size', () => element.text === `${'x'.repeat(61)}\n${'x'.repeat(9)}`);
    element.focus();
    await userEvent.keyboard('rm');
    expect(element.send('x')).toBe(false);
    expect(socket.sent.filter((text) => !text.startsWith('{'))).toEqual([]);
  });

  it('finds in the output, forwards and back, and says when there is nothing', async () => {
    const { element, root, socket, button } = await terminalOf();
    socket.print('one needle\r\ntwo needle\r\n');
    await until('the output', () => element.text.includes('two needle'));
    element.focus();
    await userEvent.keyboard('{Control>}{Shift>}F{/Shift}{/Control}');
    const field = await until('the field', () => root.querySelector<HTMLInputElement>('input[type=search]'));
    await until('the focus', () => root.activeElement === field);
    await userEvent.keyboard('needle');
    await until('a match that can be copied', () => !button('Copy').disabled);
    button('Previous match').click();
    await element.updateComplete;
    expect(field.ariaInvalid).toBe('false');
    await userEvent.keyboard('s');
    await until('that there is none', () => root.textContent?.includes('Nothing of the kind'));
    await userEvent.keyboard('{Escape}');
    await until('the terminal again', () => root.querySelector('input[type=search]') === null);
    expect(socket.sent.filter((text) => !text.startsWith('{'))).toEqual([]);
  });

  it('copies what is selected and pastes as a program expects it', async () => {
    const { element, socket, button } = await terminalOf();
    const clipboard = {
      text: 'echo 1',
      writeText: (text: string) => Promise.resolve(void (clipboard.text = text)),
    };
    Object.defineProperty(navigator, 'clipboard', {
      configurable: true,
      value: { ...clipboard, readText: () => Promise.resolve('a\nb'), writeText: clipboard.writeText },
    });
    // The program says that it wants to know what is pasted.
    socket.print('needle\x1b[?2004h');
    await until('the output', () => element.text.includes('needle'));
    element.search('needle');
    await until('a selection', () => !button('Copy').disabled);
    button('Copy').click();
    expect(clipboard.text).toBe('needle');
    button('Paste').click();
    await until('the paste', () => socket.sent.join('').includes('\x1b[200~a\rb\x1b[201~'));
  });

  it('counts down to an idle stop, and keeps it running when asked', async () => {
    const { root, socket, fake, button } = await terminalOf();
    const deadline = new Date(Date.now() + 90_000).toISOString();
    socket.say({ type: 'notice', kind: 'idle_warning', deadline });
    const note = await until('the warning', () => root.querySelector('.note.warn'));
    expect(note.textContent).toMatch(/stopped in 1:[0-9]{2}/);
    button('Keep running').click();
    await until('the word to the server', () =>
      fake.asked.some(({ url }) => url.pathname.endsWith('/activity')),
    );
    socket.say({ type: 'notice', kind: 'idle_warning_over' });
    await until('no warning', () => root.querySelector('.note.warn') === null);
  });

  it('changes the size of the text, and says how the connection is', async () => {
    const { element, root, socket, button } = await terminalOf();
    button('Larger text').click();
    expect(element.fontSize).toBe(15);
    socket.close(1006);
    await until('the state', () => root.querySelector('.state')?.textContent?.includes('trying again'));
    const next = await until('another connection', () => Socket.all[1]);
    next.say({ type: 'ready', session: 'main', offset: 0, reset: false, cols: 90, rows: 20 });
    await until('the state', () => root.querySelector('.state')?.textContent === 'Connected');
    next.close(4003);
    await until('the end', () => button('Connect again'));
  });

  it.each(['light', 'dark'] as const)('has no barriers in %s', async (theme) => {
    const { element, socket, button } = await terminalOf();
    dress(element, theme);
    socket.say({ type: 'presence', people: [{ name: 'Ann', mode: 'control' }] });
    button('Search').click();
    await element.updateComplete;
    expect(await barriers(element)).toEqual([]);
  });
});
