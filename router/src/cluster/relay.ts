// SPDX-License-Identifier: Apache-2.0
import { Duplex } from 'node:stream';
import type { ClusterAccess } from '@agenttier/machinery/kube/access';
import { execInPod } from '@agenttier/machinery/kube/exec';
import type { ExecStream } from '@agenttier/machinery/kube/exec';
import { RuntimeLost, RuntimeUnreachable } from './runtimeErrors.ts';
import { MAIN_CONTAINER } from './target.ts';
import type { Target } from './target.ts';

/** Joins its standard streams to the runtime of the pod, and gives each request that passes the token. */
const RELAY = ['/agenttier/bin/agenttier-runtime', 'relay'];
/** What a program says before it fails is short. */
const MAX_COMPLAINT = 2048;

/** Opens a connection to the runtime of a pod that needs neither its address nor its token. */
export type OpenRelay = (target: Target) => Promise<Duplex>;

/** A connection over a command in the pod. Rejects with KubeError when the API server does not allow that. */
export function relayViaApiServer(access: ClusterAccess): OpenRelay {
  return async ({ namespace, pod }) =>
    socketOver(
      await execInPod(access, { namespace, pod, container: MAIN_CONTAINER, command: RELAY, stdin: true }),
    );
}

/** As HTTP wants a socket: it ends without an error only when the relay ended well. */
function socketOver(exec: ExecStream): Duplex {
  const { stdout, stdin } = exec;
  const complaint = collect(exec);
  const socket: Duplex = new Duplex({
    read: () => {
      stdout.resume();
    },
    write: (chunk: Buffer, _encoding, done) => {
      // The end of its output says why it takes no more.
      stdin.write(chunk, () => done());
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
  stdout.once('end', () => {
    void faultOf(exec, complaint).then((fault) => {
      if (fault) socket.destroy(fault);
      else socket.push(null);
    });
  });
  stdout.pause();
  return socket;
}

function collect(exec: ExecStream): () => string {
  let text = '';
  exec.stderr.on('data', (chunk: Buffer) => {
    if (text.length < MAX_COMPLAINT) text += chunk.toString('utf8');
  });
  return () => text.trim().slice(0, MAX_COMPLAINT);
}

/** Its own code for a runtime that is not there, and those of shells and container runtimes for a program that is not. */
const NOT_BEGUN: ReadonlySet<number> = new Set([255, 126, 127, 128]);

/** What to tell of a relay that did not end well; one that was killed may have passed something on. */
async function faultOf(exec: ExecStream, complaint: () => string): Promise<Error | undefined> {
  try {
    const { code } = await exec.exit;
    if (code === 0) return undefined;
    const said = complaint() || `the relay ended with ${code}`;
    return NOT_BEGUN.has(code) ? new RuntimeUnreachable(said) : new RuntimeLost(said);
  } catch (error) {
    return new RuntimeLost(complaint() || String(error), { cause: error });
  }
}
