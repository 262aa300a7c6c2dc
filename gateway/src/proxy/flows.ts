// SPDX-License-Identifier: Apache-2.0
import type { Caller } from '../identity/callers.ts';
import type { Target } from './refusal.ts';

/** One connection, or request, of a sandbox to somewhere. */
export interface Flow {
  readonly caller: Caller;
  readonly target: Target;
  /** Ends both sides. */
  readonly cut: () => void;
}

/** What is open now, so that it can be limited, and ended when it is no longer allowed. */
export class Flows {
  readonly #byPod = new Map<string, Set<Flow>>();
  readonly #limit: number;
  readonly #onChange: (open: number) => void;
  #open = 0;

  constructor(limitPerSandbox: number, onChange: (open: number) => void = () => undefined) {
    this.#limit = limitPerSandbox;
    this.#onChange = onChange;
  }

  /** Undefined when the sandbox has too many; otherwise the function that takes the flow out again. */
  open(flow: Flow): (() => void) | undefined {
    const { uid } = flow.caller.pod;
    const flows = this.#byPod.get(uid) ?? new Set<Flow>();
    if (flows.size >= this.#limit) return undefined;
    this.#byPod.set(uid, flows.add(flow));
    this.#onChange(++this.#open);
    return () => {
      if (flows.delete(flow)) this.#onChange(--this.#open);
      if (flows.size === 0 && this.#byPod.get(uid) === flows) this.#byPod.delete(uid);
    };
  }

  /** Cuts every flow of the sandbox that `allowed` is false for; returns those. */
  enforce(of: (caller: Caller) => boolean, allowed: (flow: Flow) => boolean): Flow[] {
    const lost = [...this.#byPod.values()]
      .flatMap((flows) => [...flows])
      .filter((flow) => of(flow.caller) && !allowed(flow));
    for (const flow of lost) flow.cut();
    return lost;
  }
}
