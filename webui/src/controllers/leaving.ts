// SPDX-License-Identifier: Apache-2.0
import type { ReactiveController, ReactiveControllerHost } from 'lit';

export interface LeavingOptions {
  /** Would anything be lost now? */
  readonly wouldLose: () => boolean;
  /** What the person is asked then. */
  readonly question: () => string;
}

/** Asks before a person leaves an element with something in it that would be lost: the page, or a page of the dashboard. */
export class LeavingController implements ReactiveController {
  readonly #options: LeavingOptions;

  constructor(host: ReactiveControllerHost, options: LeavingOptions) {
    this.#options = options;
    host.addController(this);
  }

  /** Nothing would be lost, or the person says that it may. */
  mayLeave(): boolean {
    return !this.#options.wouldLose() || globalThis.confirm(this.#options.question());
  }

  hostConnected(): void {
    globalThis.addEventListener('beforeunload', this.#holdPage);
    globalThis.addEventListener('agenttier-navigate', this.#holdNavigation);
  }

  hostDisconnected(): void {
    globalThis.removeEventListener('beforeunload', this.#holdPage);
    globalThis.removeEventListener('agenttier-navigate', this.#holdNavigation);
  }

  /** Browsers ask in words of their own. */
  readonly #holdPage = (event: BeforeUnloadEvent): void => {
    if (this.#options.wouldLose()) event.preventDefault();
  };

  readonly #holdNavigation = (event: Event): void => {
    if (!this.mayLeave()) event.preventDefault();
  };
}
