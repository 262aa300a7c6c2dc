// SPDX-License-Identifier: Apache-2.0
import { isOfV2, parseClientControl, parseClientFrameV1 } from '@agenttier/crds/wire/terminal';
import type { ClientControl } from '@agenttier/crds/wire/terminal';
import type { RawData, WebSocket } from 'ws';
import type { ControlFrame } from './pod/link.ts';
import { InputBytes, OutputFrames } from './textFrames.ts';

/** What a client asks for, in the terms of a PTY. */
export type ClientRequest = { readonly type: 'input'; readonly bytes: Buffer } | ClientControl;

/** The two dialects of clients: what goes out as which message, and what comes in. */
export interface ClientPeer {
  output(bytes: Buffer): void;
  control(frame: ControlFrame): void;
  /** What a message asks for; undefined = nothing we know. */
  read(data: RawData, isBinary: boolean): ClientRequest | undefined;
}

/** Sub-protocol agenttier.pty.v2: binary messages are terminal bytes and pass untouched, text messages are control. */
export function binaryPeer(socket: WebSocket, sent: () => void): ClientPeer {
  return {
    output: (bytes) => socket.send(bytes, { binary: true }, sent),
    control: (frame) => socket.send(JSON.stringify(frame), sent),
    read: (data, isBinary) => {
      const bytes = data as Buffer;
      return isBinary ? { type: 'input', bytes } : parseClientControl(bytes.toString('utf8'));
    },
  };
}

/**
 * Clients of version 1: everything is JSON text. They know nothing of sessions,
 * so `ready` and what came with version 2 is not for them.
 */
export function textPeer(socket: WebSocket, sent: () => void): ClientPeer {
  const frames = new OutputFrames();
  const input = new InputBytes();
  const send = (text: string | undefined): void => {
    if (text !== undefined) socket.send(text, sent);
  };
  return {
    output: (bytes) => send(frames.push(bytes)),
    control: (frame) => {
      if (frame.type === 'ready' && frame['reset'] === true) frames.restart();
      if (isOfV2(frame)) return;
      if (frame.type === 'exit') send(frames.end());
      send(JSON.stringify(frame));
    },
    read: (data) => {
      const frame = parseClientFrameV1((data as Buffer).toString('utf8'));
      return frame?.type === 'input' ? { type: 'input', bytes: input.push(frame.data) } : frame;
    },
  };
}
