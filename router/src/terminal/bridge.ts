// SPDX-License-Identifier: Apache-2.0
import type { RawData, WebSocket } from 'ws';
import { PTY_PROTOCOL_V2 } from '@agenttier/crds/wire/terminal';
import type {
  AuthExpiringFrame,
  AuthRenewedFrame,
  ErrorFrame,
  NoticeFrame,
} from '@agenttier/crds/wire/terminal';
import { binaryPeer, textPeer } from './clientPeer.ts';
import type { ClientPeer, ClientRequest } from './clientPeer.ts';
import { ENDINGS } from './ending.ts';
import type { Ending } from './ending.ts';
import { FlowGate } from './flow.ts';
import { startHeartbeat } from './heartbeat.ts';
import { DRAINING } from './notice.ts';
import type { ControlFrame, LinkEnd, PtyLink } from './pod/link.ts';

export interface BridgeOptions {
  readonly client: WebSocket;
  readonly pingMs: number;
  /** False for viewers: what they type and how large their window is stays here. */
  readonly takesInput: boolean;
  readonly onInput: (bytes: number) => void;
  readonly onOutput: (bytes: number) => void;
  /** The client brings another ticket, to stay beyond the end of its credential. */
  readonly onAuth: (ticket: string) => void;
  /** The output goes on where the client left, or from another place (`reset`). */
  readonly onReady: (reset: boolean) => void;
}

/**
 * Joins a client with a PTY. Each side is read only as fast as the other takes it: beyond the watermark the source is
 * paused, so one `yes` holds about a megabyte here and then blocks in the pod.
 */
export class Bridge {
  readonly #options: BridgeOptions;
  readonly #client: WebSocket;
  readonly #peer: ClientPeer;
  #link: PtyLink | undefined;
  #toClient: FlowGate | undefined;
  #toPod: FlowGate | undefined;
  #over = false;

  /** The client's socket must be paused; it is resumed once there is a pod to talk to. */
  constructor(options: BridgeOptions) {
    const { client, pingMs } = options;
    this.#options = options;
    this.#client = client;
    const sent = (): void => this.#toClient?.check();
    this.#peer = client.protocol === PTY_PROTOCOL_V2 ? binaryPeer(client, sent) : textPeer(client, sent);
    client.on('message', (data, isBinary) => this.#receive(data, isBinary));
    client.on('error', () => client.terminate());
    client.once('close', () => this.#leave());
    startHeartbeat(client, {
      pingMs,
      isPaused: () => this.#link === undefined || this.#toPod?.paused === true,
      onBeat: () => this.#peer.control({ type: 'heartbeat', ts: Date.now() }),
    });
  }

  get closed(): boolean {
    return this.#over;
  }

  /** Connects the two sides. A client that left meanwhile makes the link close again. */
  attach(link: PtyLink): void {
    if (this.#over) {
      link.start({ output: () => {}, control: () => {}, ended: () => {}, drained: () => {} });
      link.close();
      return;
    }
    const client = this.#client;
    this.#link = link;
    this.#toClient = new FlowGate(link, () => client.bufferedAmount);
    this.#toPod = new FlowGate(client, () => link.buffered());
    link.start({
      output: (bytes) => this.#output(bytes),
      control: (frame) => this.#told(frame),
      ended: (end) => this.#ended(end),
      drained: () => this.#toPod?.check(),
    });
    client.resume();
  }

  /** Tells the client something that is no output. */
  tell(frame: NoticeFrame | AuthExpiringFrame | AuthRenewedFrame | ErrorFrame): void {
    if (!this.#over) this.#peer.control({ ...frame });
  }

  /** The client should come back at once, to another replica. */
  drain(): void {
    if (this.#over) return;
    this.#peer.control({ ...DRAINING });
    this.#finish(ENDINGS.draining.code, ENDINGS.draining.reason);
  }

  /** Ends the terminal for a reason that the client is told. */
  end(ending: Ending): void {
    if (this.#over) return;
    this.#peer.control({ type: 'close', reason: ending.reason, code: ending.code });
    this.#finish(ending.code, ending.reason);
  }

  /** No way into the pod, or it broke. */
  fail(message: string): void {
    if (this.#over) return;
    this.#peer.control({ type: 'error', message });
    this.#finish(ENDINGS.lost.code, ENDINGS.lost.reason);
  }

  #told(frame: ControlFrame): void {
    if (this.#over) return;
    if (frame.type === 'ready') this.#options.onReady(frame['reset'] === true);
    this.#peer.control(frame);
  }

  #output(bytes: Buffer): void {
    if (this.#over) return;
    this.#peer.output(bytes);
    this.#options.onOutput(bytes.length);
    this.#toClient?.check();
  }

  #receive(data: RawData, isBinary: boolean): void {
    const request = this.#peer.read(data, isBinary);
    const link = this.#link;
    if (!request || !link || this.#over) return;
    if (request.type === 'ping') link.ping();
    else if (request.type === 'auth') this.#options.onAuth(request.ticket);
    else if (this.#options.takesInput) this.#pass(link, request);
  }

  #pass(link: PtyLink, request: Extract<ClientRequest, { type: 'input' | 'resize' }>): void {
    if (request.type === 'resize') {
      link.resize(request.cols, request.rows);
      return;
    }
    if (request.bytes.length === 0) return;
    link.write(request.bytes);
    this.#options.onInput(request.bytes.length);
    this.#toPod?.check();
  }

  #ended(end: LinkEnd): void {
    if (end.clean) this.#finish(1000, 'exit');
    else this.fail('the connection to the sandbox was lost; it is worth trying again');
  }

  #finish(code: number, reason: string): void {
    if (this.#over) return;
    this.#over = true;
    // A paused socket would never read the client's answer to the close.
    this.#client.resume();
    this.#client.close(code, reason);
    this.#link?.close();
  }

  #leave(): void {
    this.#over = true;
    this.#link?.close();
  }
}
