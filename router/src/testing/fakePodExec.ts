// SPDX-License-Identifier: Apache-2.0
import { ScriptedServer } from '@agenttier/machinery/testing/scriptedServer';
import { WebSocketServer } from 'ws';
import type { WebSocket } from 'ws';

const PROTOCOL = 'v5.channel.k8s.io';
const STDIN = 0;
const STATUS = 3;
const RESIZE = 4;

/** One exec as the kubelet sees it. */
export class FakeExec {
  readonly command: string[];
  readonly stdin: boolean;
  readonly tty: boolean;
  readonly sizes: { Width: number; Height: number }[] = [];
  onInput: (bytes: Buffer) => void = () => {};
  /** The client has dropped the connection. */
  onLeft: () => void = () => {};
  readonly #socket: WebSocket;

  constructor(socket: WebSocket, query: URLSearchParams) {
    this.#socket = socket;
    this.command = query.getAll('command');
    this.stdin = query.get('stdin') === 'true';
    this.tty = query.get('tty') === 'true';
    socket.once('close', () => this.onLeft());
    socket.on('message', (data: Buffer) => {
      const payload = data.subarray(1);
      if (data[0] === STDIN) this.onInput(payload);
      if (data[0] === RESIZE)
        this.sizes.push(JSON.parse(payload.toString()) as { Width: number; Height: number });
    });
  }

  output(bytes: Uint8Array | string, channel = 1): void {
    this.#socket.send(Buffer.concat([Buffer.of(channel), Buffer.from(bytes)]));
  }

  exit(code: number): void {
    const causes = [{ reason: 'ExitCode', message: String(code) }];
    const failure = {
      status: 'Failure',
      reason: 'NonZeroExitCode',
      message: `exit ${code}`,
      details: { causes },
    };
    this.#status(code === 0 ? { status: 'Success' } : failure);
  }

  /** What a container runtime answers for a program that is not there. */
  cannotStart(): void {
    this.#status({
      status: 'Failure',
      reason: 'InternalError',
      code: 500,
      message: 'OCI runtime exec failed: no such file',
    });
  }

  #status(status: object): void {
    this.#socket.send(Buffer.concat([Buffer.of(STATUS), Buffer.from(JSON.stringify(status))]));
    this.#socket.close(1000);
  }
}

/** An API server that only knows pods/exec. */
export class FakePodExec {
  readonly execs: FakeExec[] = [];
  onExec: (exec: FakeExec) => void = () => {};
  readonly #server: ScriptedServer;

  private constructor(server: ScriptedServer) {
    this.#server = server;
    const sockets = new WebSocketServer({ noServer: true, handleProtocols: () => PROTOCOL });
    server.server.on('upgrade', (request, socket, head) => {
      const url = new URL(request.url ?? '/', 'http://server');
      sockets.handleUpgrade(request, socket, head, (client) => {
        const exec = new FakeExec(client, url.searchParams);
        this.execs.push(exec);
        this.onExec(exec);
      });
    });
  }

  static async start(): Promise<FakePodExec> {
    return new FakePodExec(await ScriptedServer.start());
  }

  get url(): string {
    return this.#server.access().server;
  }

  async close(): Promise<void> {
    await this.#server.close();
  }
}
