// SPDX-License-Identifier: Apache-2.0
import { DEFAULT_SIZE } from '@agenttier/crds/wire/terminal';
import type { ClusterAccess } from '@agenttier/machinery/kube/access';
import { execInPod } from '@agenttier/machinery/kube/exec';
import type { ExecStream } from '@agenttier/machinery/kube/exec';
import type { PtyQuery } from '../../cluster/runtimeClient.ts';
import { MAIN_CONTAINER } from '../../cluster/target.ts';
import type { Target } from '../../cluster/target.ts';
import type { PtyPaths } from './connect.ts';
import type { LinkEnd, LinkSink, PtyLink } from './link.ts';

const RUNTIME = '/agenttier/bin/agenttier-runtime';

/** Bytes that a shell of the last resort is found with; a login shell, as the runtime starts one. */
const ANY_SHELL =
  'TERM=xterm-256color; export TERM; for shell in /bin/bash /bin/ash; do [ -x "$shell" ] && exec "$shell" -l; done; exec /bin/sh -l';

/** What runs in the pod, best first: joining the runtime's session keeps it over a reconnect, a shell alone does not. */
export function attachCommands(query: PtyQuery): string[][] {
  const { session, mode, cols = DEFAULT_SIZE.cols, rows = DEFAULT_SIZE.rows, who, ticket, altscreen } = query;
  const size = ['--cols', String(cols), '--rows', String(rows)];
  const others = Object.entries({ who, ticket, altscreen }).flatMap(([name, value]) =>
    value ? [`--${name}=${value}`] : [],
  );
  return [
    [RUNTIME, 'attach', '--session', session, '--mode', mode, ...size, ...others],
    ['/bin/sh', '-c', ANY_SHELL],
  ];
}

/** Opens a terminal with pods/exec. Rejects with KubeError when the API server refuses. */
export function openExecLink(access: ClusterAccess): PtyPaths['viaApiServer'] {
  return async (target: Target, query: PtyQuery): Promise<PtyLink> => {
    const open = (command: string[]): Promise<ExecStream> =>
      execInPod(access, {
        namespace: target.namespace,
        pod: target.pod,
        container: MAIN_CONTAINER,
        command,
        stdin: true,
        tty: true,
      });
    const [attach = [], shell = []] = attachCommands(query);
    return new ExecLink(await open(attach), () => open(shell), query);
  };
}

/** Attachment through the API server. Starts over with a plain shell when the runtime turns out not to be in the pod. */
export class ExecLink implements PtyLink {
  readonly transport = 'exec';
  #stream: ExecStream;
  readonly #openShell: () => Promise<ExecStream>;
  readonly #query: PtyQuery;
  #sink: LinkSink | undefined;
  #size: { cols: number; rows: number };
  #closed = false;
  #spoke = false;

  constructor(stream: ExecStream, openShell: () => Promise<ExecStream>, query: PtyQuery) {
    this.#stream = stream;
    this.#openShell = openShell;
    this.#query = query;
    this.#size = { cols: query.cols ?? DEFAULT_SIZE.cols, rows: query.rows ?? DEFAULT_SIZE.rows };
  }

  start(sink: LinkSink): void {
    this.#sink = sink;
    // Offsets are the runtime's business: here a reconnect starts a fresh screen.
    sink.control({ type: 'ready', session: this.#query.session, offset: 0, ...this.#size, reset: true });
    this.#run(this.#stream, true);
  }

  write(bytes: Buffer): void {
    if (!this.#closed) this.#stream.stdin.write(bytes, () => this.#sink?.drained());
  }

  resize(cols: number, rows: number): void {
    this.#size = { cols, rows };
    this.#stream.resize(cols, rows);
  }

  ping(): void {
    this.#sink?.control({ type: 'pong', ts: Date.now() });
  }

  pause(): void {
    this.#stream.stdout.pause();
  }

  resume(): void {
    this.#stream.stdout.resume();
  }

  buffered(): number {
    return this.#stream.stdin.writableLength;
  }

  close(): void {
    this.#closed = true;
    this.#stream.close();
  }

  #run(stream: ExecStream, mayStartOver: boolean): void {
    this.#stream = stream;
    stream.resize(this.#size.cols, this.#size.rows);
    stream.stderr.resume();
    stream.stdout.on('data', (bytes: Buffer) => {
      this.#spoke = true;
      this.#sink?.output(bytes);
    });
    const outputOver = new Promise<void>((resolve) => {
      stream.stdout.once('end', resolve);
      stream.stdout.once('close', resolve);
    });
    this.#finish(stream, mayStartOver, outputOver).catch((error: unknown) =>
      this.#end({ clean: false, why: error instanceof Error ? error.message : String(error) }),
    );
  }

  async #finish(stream: ExecStream, mayStartOver: boolean, outputOver: Promise<void>): Promise<void> {
    const exit = await stream.exit.catch((error: unknown) => {
      // The container runtime could not start the program: an image where ours was not put.
      if (mayStartOver && !this.#spoke && !this.#closed) return undefined;
      throw error;
    });
    if (!exit || (mayStartOver && !this.#spoke && isMissingProgram(exit.code))) return this.#startOver();
    stream.close();
    await outputOver; // the last bytes come before the exit
    this.#sink?.control({ type: 'exit', code: exit.code });
    return this.#end({ clean: true });
  }

  async #startOver(): Promise<void> {
    this.#stream.close();
    const shell = await this.#openShell();
    if (this.#closed) shell.close();
    else this.#run(shell, false);
  }

  #end(end: LinkEnd): void {
    const sink = this.#sink;
    this.#sink = undefined;
    sink?.ended(end);
  }
}

/** Shell convention: 126 = found but not executable, 127 = not found; 128 is what runc reports for the latter. */
const isMissingProgram = (code: number): boolean => code >= 126 && code <= 128;
