// SPDX-License-Identifier: Apache-2.0
import type { Server } from 'node:http';
import { type WebSocket, WebSocketServer } from 'ws';

/** A command that the far side was asked to run; the test plays the command. */
export class FakeCommand {
  readonly path: string;
  readonly query: URLSearchParams;
  readonly resizes: string[] = [];
  readonly #socket: WebSocket;
  readonly #input: Buffer[] = [];
  readonly #inputClosed = Promise.withResolvers<void>();

  constructor(socket: WebSocket, url: URL) {
    this.#socket = socket;
    this.path = url.pathname;
    this.query = url.searchParams;
    socket.on('message', (data: Buffer) => this.#receive(data));
  }

  get words(): string[] {
    return this.query.getAll('command');
  }

  get input(): Buffer {
    return Buffer.concat(this.#input);
  }

  get inputClosed(): Promise<void> {
    return this.#inputClosed.promise;
  }

  out(data: string | Buffer): this {
    return this.#send(1, data);
  }

  err(data: string): this {
    return this.#send(2, data);
  }

  exit(code: number): void {
    const failure = {
      status: 'Failure',
      reason: 'NonZeroExitCode',
      details: { causes: [{ reason: 'ExitCode', message: String(code) }] },
    };
    this.#send(3, JSON.stringify(code === 0 ? { status: 'Success' } : failure));
    this.#socket.close(1000);
  }

  /** The container runtime could not start the program. */
  fail(message: string): void {
    // As the kubelet writes it: a Status without its kind.
    this.#send(
      3,
      JSON.stringify({ metadata: {}, status: 'Failure', reason: 'InternalError', code: 500, message }),
    );
    this.#socket.close(1000);
  }

  drop(): void {
    this.#socket.terminate();
  }

  #receive(data: Buffer): void {
    const channel = data[0];
    if (channel === 0) this.#input.push(data.subarray(1));
    else if (channel === 4) this.resizes.push(data.subarray(1).toString('utf8'));
    else if (channel === 255) this.#inputClosed.resolve();
  }

  #send(channel: number, data: string | Buffer): this {
    this.#socket.send(Buffer.concat([Buffer.of(channel), Buffer.from(data)]));
    return this;
  }
}

/** Lets an API server run commands in pods by the v5 channel protocol, one handler per command in order. */
export function serveExec(server: Server, ...handlers: ((command: FakeCommand) => void)[]): FakeCommand[] {
  const commands: FakeCommand[] = [];
  const sockets = new WebSocketServer({ noServer: true, handleProtocols: () => 'v5.channel.k8s.io' });
  server.on('upgrade', (request, socket, head) => {
    sockets.handleUpgrade(request, socket, head, (client) => {
      const command = new FakeCommand(client, new URL(request.url ?? '/', 'http://server'));
      commands.push(command);
      const handler = handlers[Math.min(commands.length, handlers.length) - 1];
      handler?.(command);
    });
  });
  return commands;
}
