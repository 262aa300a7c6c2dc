// SPDX-License-Identifier: Apache-2.0
import { finished } from 'node:stream/promises';
import type { ClusterAccess } from '@agenttier/machinery/kube/client';
import { isKubeError, isNetworkError } from '@agenttier/machinery/kube/errors';
import { execInPod, type ExecStream } from '@agenttier/machinery/kube/exec';
import { messageOf } from '../context/failure.ts';
import type { Host, WindowSize } from '../context/host.ts';
import type { PodTarget } from '../exec/pod.ts';
import type { Attach, Attachment, AttachmentEvents, Ending } from './attachment.ts';

/** The in-pod runtime's own bridge to a session, at the place where every sandbox mounts it. */
const RUNTIME = '/agenttier/bin/agenttier-runtime';
/** What is there in an image without the runtime: bash when it has one. */
const PLAIN_SHELL = [
  '/bin/sh',
  '-c',
  'if command -v bash >/dev/null 2>&1; then exec bash -il; else exec sh -il; fi',
];

/** Attaches to a session of the runtime by the API server's exec; without the runtime, to a plain shell. */
export function podAttach(target: {
  readonly host: Host;
  readonly access: ClusterAccess;
  readonly pod: PodTarget;
  readonly session: string;
}): Attach {
  const { session, ...rest } = target;
  return execAttach({
    ...rest,
    commands: [[RUNTIME, 'attach', '--session', session, '--altscreen', 'keep'], PLAIN_SHELL],
    survives: true,
  });
}

export interface ExecTarget {
  readonly host: Host;
  readonly access: ClusterAccess;
  readonly pod: PodTarget;
  /** Tried in order, the next one when a program is not there. */
  readonly commands: readonly (readonly string[])[];
  /** The first command leads to a session that outlives the connection, so connecting again makes sense. */
  readonly survives: boolean;
}

export function execAttach(target: ExecTarget): Attach {
  return (_point, events) => new ExecAttachment(target, events);
}

class ExecAttachment implements Attachment {
  readonly #target: ExecTarget;
  readonly #events: AttachmentEvents;
  readonly #over = new AbortController();
  #stream: ExecStream | undefined;
  #sawOutput = false;
  #announced = false;

  constructor(target: ExecTarget, events: AttachmentEvents) {
    this.#target = target;
    this.#events = events;
    void this.#run();
  }

  send(data: Uint8Array): boolean {
    const stdin = this.#stream?.stdin;
    if (!stdin?.writable) return false;
    stdin.write(data, () => this.#events.drained());
    return true;
  }

  resize(size: WindowSize): void {
    this.#stream?.resize(size.cols, size.rows);
  }

  pending(): number {
    return this.#stream?.stdin.writableLength ?? 0;
  }

  pauseOutput(): void {
    this.#stream?.stdout.pause();
  }

  resumeOutput(): void {
    this.#stream?.stdout.resume();
  }

  close(): void {
    this.#over.abort();
    this.#stream?.close();
  }

  /** Tries the commands in order; that a program is missing shows only when its exec has been answered. */
  async #run(): Promise<void> {
    const { commands, survives } = this.#target;
    for (const [at, command] of commands.entries()) {
      const more = at < commands.length - 1;
      const ending = await this.#attempt(command, more).catch(
        (error: unknown): Ending => ({
          retry: survives && at === 0 && isNetworkError(error),
          message: messageOf(error),
        }),
      );
      if (ending !== 'missing') return this.#events.closed(ending);
      this.#note(
        `${command[0]} is not in this sandbox: opening a plain shell, which ends with the connection`,
      );
    }
  }

  /** `missing` when the program is not there and there are more to try. */
  async #attempt(command: readonly string[], more: boolean): Promise<Ending | 'missing'> {
    const mayBeMissing = (): boolean => more && !this.#sawOutput;
    try {
      const code = await this.#runCommand(command);
      if (mayBeMissing() && isMissingCode(code)) return 'missing';
      this.#events.exited(code);
      return { retry: false, message: `ended with code ${code}` };
    } catch (error) {
      if (mayBeMissing() && cannotStart(error)) return 'missing';
      throw error;
    }
  }

  async #runCommand(command: readonly string[]): Promise<number> {
    const { host, access, pod } = this.#target;
    const tty = host.terminal.interactive;
    const stream = await execInPod(access, { ...pod, command, stdin: true, tty, signal: this.#over.signal });
    this.#stream = stream;
    stream.stdout.on('data', (data: Buffer) => {
      this.#sawOutput = true;
      this.#events.output(data);
    });
    stream.stderr.on('data', (data: Buffer) => void host.streams.err.write(data));
    // The plain shell after a missing runtime is no second start: the session would clear the screen for it.
    if (!this.#announced) this.#events.ready({ offset: 0, reset: true });
    this.#announced = true;
    const size = host.terminal.size();
    if (size) stream.resize(size.cols, size.rows);
    const outputOver = finished(stream.stdout, { writable: false }).catch(() => undefined);
    const { code } = await stream.exit;
    // The exit overtakes output that waits here for a slow terminal.
    stream.close();
    await outputOver;
    return code;
  }

  #note(text: string): void {
    this.#target.host.streams.err.write(`note: ${text}\r\n`);
  }
}

/** Of shells: 126 = found but not executable, 127 = not found. 128 is what runc reports for the latter. */
const isMissingCode = (code: number): boolean => code >= 126 && code <= 128;

/** A container runtime that cannot start a program says why in words of its own: anything but a refusal counts. */
function cannotStart(error: unknown): boolean {
  return isKubeError(error) && error.status >= 500;
}
