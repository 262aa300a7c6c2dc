// SPDX-License-Identifier: Apache-2.0
import { spawn } from '@lydell/node-pty';
import { WebSocket } from 'ws';
import { apiKey, apiUrl, childEnvironment, until } from './harness.ts';

/** A terminal as a person sees it: what it printed, what one types, how it ended. */
export interface Terminal {
  readonly printed: () => string;
  readonly type: (text: string) => void;
  readonly resize: (cols: number, rows: number) => void;
  readonly exitCode: Promise<number>;
  readonly close: () => void;
}

/** What a browser is told beside the output, and how its socket was closed. */
export interface BrowserTerminal extends Terminal {
  readonly notices: () => readonly { readonly kind: string; readonly message?: string }[];
  readonly closed: Promise<{ readonly code: number; readonly reason: string }>;
}

/** Waits until the terminal has printed something that matches, from `from` characters on. */
export const untilPrinted = (
  terminal: Terminal,
  pattern: RegExp,
  from = 0,
  timeoutMs = 60_000,
): Promise<string> =>
  until(
    `the terminal to print ${pattern}; it ends in ${JSON.stringify(terminal.printed().slice(-300))}`,
    async () => pattern.exec(terminal.printed().slice(from))?.[0],
    timeoutMs,
  );

/** A browser's way in: the router's WebSocket with JSON text frames. */
export async function openBrowserTerminal(
  sandbox: string,
  namespace: string,
  key = apiKey,
): Promise<BrowserTerminal> {
  const url = `${apiUrl.replace(/^http/, 'ws')}/ws/terminal/${sandbox}?namespace=${namespace}`;
  const socket = new WebSocket(url, { headers: { 'X-API-Key': key } });
  let output = '';
  const notices: { kind: string; message?: string }[] = [];
  const exit = Promise.withResolvers<number>();
  const closed = Promise.withResolvers<{ code: number; reason: string }>();
  socket.on('message', (data: Buffer) => {
    const frame = JSON.parse(data.toString()) as {
      type: string;
      kind?: string;
      data?: string;
      code?: number;
      message?: string;
    };
    if (frame.type === 'output') output += frame.data ?? '';
    if (frame.type === 'notice') notices.push({ kind: frame.kind ?? '', message: frame.message ?? '' });
    if (frame.type === 'exit') exit.resolve(frame.code ?? -1);
    if (frame.type === 'error') output += `[error frame: ${frame.message}]`;
  });
  socket.on('close', (code, reason) => {
    closed.resolve({ code, reason: reason.toString() });
    exit.reject(new Error(`closed with ${code} before an exit frame`));
  });
  exit.promise.catch(() => {}); // most walks never ask for it
  await new Promise((resolve, reject) => {
    socket.once('open', resolve);
    socket.once('error', reject);
  });
  return {
    printed: () => output,
    notices: () => notices,
    closed: closed.promise,
    type: (text) => socket.send(JSON.stringify({ type: 'input', data: text })),
    resize: (cols, rows) => socket.send(JSON.stringify({ type: 'resize', cols, rows })),
    exitCode: exit.promise,
    close: () => socket.close(),
  };
}

/** `kubectl agenttier terminal` in a real terminal, through a router; with none, by the API server's exec. */
export function openPluginTerminal(sandbox: string, namespace: string, router = apiUrl): Terminal {
  const environment = childEnvironment({
    AGENTTIER_API_URL: router,
    AGENTTIER_API_KEY: router === '' ? '' : apiKey,
  });
  const pty = spawn('kubectl', ['agenttier', 'terminal', sandbox, '-n', namespace], {
    cols: 120,
    rows: 40,
    env: environment,
  });
  let output = '';
  const exit = Promise.withResolvers<number>();
  pty.onData((text) => {
    output += text;
  });
  pty.onExit(({ exitCode }) => exit.resolve(exitCode));
  return {
    printed: () => output,
    type: (text) => pty.write(text),
    resize: (cols, rows) => pty.resize(cols, rows),
    exitCode: exit.promise,
    close: () => pty.kill(),
  };
}
