// SPDX-License-Identifier: Apache-2.0
import type { Socket } from 'node:net';
import { Duplex } from 'node:stream';
import type { ClusterAccess } from '@agenttier/machinery/kube/access';
import { execInPod } from '@agenttier/machinery/kube/exec';
import type { ExecStream } from '@agenttier/machinery/kube/exec';
import { Client } from 'undici';
import { lent } from '../cluster/runtimeClient.ts';
import { RuntimeLost, RuntimeUnreachable } from '../cluster/runtimeErrors.ts';
import type { RuntimeAnswer, RuntimeRequest } from '../cluster/runtimeClient.ts';
import type { Target } from '../cluster/target.ts';
import type { RuntimePaths } from './askRuntime.ts';
import { MAIN_CONTAINER } from './viaApiServer.ts';

/** Joins its standard streams to the runtime of the pod for one exchange, and adds the token. */
const RELAY = ['/agenttier/bin/agenttier-runtime', 'relay'];
/** What a program says before it fails is short. */
const MAX_COMPLAINT = 2048;

/** Asks the runtime over a command in its own pod. Rejects with KubeError when the API server does not allow that. */
export function relayViaApiServer(access: ClusterAccess): RuntimePaths['relay'] {
  return async (target: Target, request: RuntimeRequest): Promise<RuntimeAnswer> => {
    const { namespace, pod } = target;
    const place = { namespace, pod, container: MAIN_CONTAINER };
    const exec = await execInPod(access, { ...place, command: RELAY, stdin: true, signal: request.signal });
    return exchange(exec, request);
  };
}

/** One exchange over the streams of a relay, which end with it. */
async function exchange(exec: ExecStream, request: RuntimeRequest): Promise<RuntimeAnswer> {
  const { method, path, headers = {}, body, signal } = request;
  const complaint = collect(exec);
  const client = new Client('http://runtime', {
    // undici looks for what to send only when it has been told later on.
    connect: (_options, done) => setImmediate(() => done(null, socketOver(exec))),
    headersTimeout: 0,
    bodyTimeout: 0,
  });
  try {
    const answer = await client.request({ method, path, headers: { ...headers }, body: lent(body), signal });
    // Who destroys it before its end does not want to hear of it.
    answer.body.on('error', () => undefined);
    answer.body.once('close', () => {
      exec.close();
      void client.destroy();
    });
    return { status: answer.statusCode, headers: answer.headers, stream: answer.body };
  } catch (error) {
    exec.close();
    void client.destroy();
    if (signal.aborted) throw signal.reason;
    throw await faultOf(exec, error, complaint);
  }
}

/** undici asks no more of a socket than that it is a Duplex. */
function socketOver(exec: ExecStream): Socket {
  const { stdout, stdin } = exec;
  const socket: Duplex = new Duplex({
    read: () => {
      stdout.resume();
    },
    write: (chunk: Buffer, _encoding, done) => {
      stdin.write(chunk, done);
    },
    // The relay takes the end of its input for a client that left: it stays open until the answer is over.
    final: (done) => done(),
    destroy: (error, done) => {
      exec.close();
      done(error);
    },
  });
  stdout.on('data', (chunk: Buffer) => {
    if (!socket.push(chunk)) stdout.pause();
  });
  stdout.once('end', () => socket.push(null));
  stdin.once('close', () => socket.destroyed || socket.end());
  stdout.pause();
  return socket as unknown as Socket;
}

function collect(exec: ExecStream): () => string {
  let text = '';
  exec.stderr.on('data', (chunk: Buffer) => {
    if (text.length < MAX_COMPLAINT) text += chunk.toString('utf8');
  });
  return () => text.trim().slice(0, MAX_COMPLAINT);
}

/** A relay that ends with a code has not reached the runtime; without one the connection broke. */
async function faultOf(exec: ExecStream, error: unknown, complaint: () => string): Promise<Error> {
  const code = await exec.exit.then(
    (exit) => exit.code,
    () => 0,
  );
  const said = complaint();
  if (code !== 0) return new RuntimeUnreachable(said || `the relay ended with ${code}`);
  const text = said || (error instanceof Error ? error.message : String(error));
  return new RuntimeLost(text, { cause: error });
}
