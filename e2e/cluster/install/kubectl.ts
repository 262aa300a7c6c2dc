// SPDX-License-Identifier: Apache-2.0
import { type Outcome, run, tryRun } from '../host/command.ts';
import { waitFor } from '../host/waitFor.ts';

/** kubectl against one cluster. */
export class Kubectl {
  readonly #binary: readonly string[];
  readonly #kubeconfig: string;

  /** `binary` is the program with its leading arguments, such as `['/cache/node', 'kubectl']`. */
  constructor(binary: readonly string[], kubeconfig: string) {
    this.#binary = binary;
    this.#kubeconfig = kubeconfig;
  }

  #command(args: readonly string[]): [string, string[]] {
    const [file = 'kubectl', ...leading] = this.#binary;
    return [file, [...leading, `--kubeconfig=${this.#kubeconfig}`, ...args]];
  }

  run(...args: readonly string[]): Promise<string> {
    return run(...this.#command(args));
  }

  try(...args: readonly string[]): Promise<Outcome> {
    return tryRun(...this.#command(args));
  }

  /** Server-side apply of objects; the objects become exactly what is given. */
  apply(objects: readonly object[]): Promise<string> {
    const list = { apiVersion: 'v1', kind: 'List', items: objects };
    const args = this.#command([
      'apply',
      '--server-side',
      '--force-conflicts',
      '--field-manager=agenttier-up',
      '-f',
      '-',
    ]);
    return run(...args, { input: JSON.stringify(list) });
  }

  /** Waits until a jsonpath over an object gives a text that `good` accepts. */
  waitFor(
    object: readonly string[],
    jsonpath: string,
    good: (value: string) => boolean,
    deadlineMs: number,
  ): Promise<void> {
    return waitFor({ what: `${object.join(' ')} ${jsonpath}`, deadlineMs, everyMs: 200 }, async () => {
      const seen = await this.try('get', ...object, '-o', `jsonpath=${jsonpath}`);
      if (seen.code !== 0) return seen.stderr.trim().slice(-200);
      return good(seen.stdout) ? true : `is '${seen.stdout}'`;
    });
  }
}
