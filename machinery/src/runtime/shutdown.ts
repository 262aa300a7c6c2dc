// SPDX-License-Identifier: Apache-2.0

/** Emits process signals; `process` itself outside tests. */
export interface SignalSource {
  on(signal: 'SIGTERM' | 'SIGINT', handler: () => void): unknown;
}

/** Reason of the root signal: the process was asked to stop. */
export class ShutdownRequested extends Error {
  override readonly name = 'AbortError';
  readonly signalName: string;

  constructor(signalName: string) {
    super(`received ${signalName}`);
    this.signalName = signalName;
  }
}

/**
 * The signal every loop and request of a process hangs on: aborts at SIGTERM or SIGINT. A second SIGINT ends the process
 * at once, for people at a terminal whose clean shutdown hangs.
 */
export function rootSignal(
  source: SignalSource = process,
  exit: (code: number) => void = (code) => process.exit(code),
): AbortSignal {
  const controller = new AbortController();
  const stop = (name: 'SIGTERM' | 'SIGINT') => (): void => {
    if (controller.signal.aborted && name === 'SIGINT') return exit(130);
    controller.abort(new ShutdownRequested(name));
  };
  source.on('SIGTERM', stop('SIGTERM'));
  source.on('SIGINT', stop('SIGINT'));
  return controller.signal;
}
