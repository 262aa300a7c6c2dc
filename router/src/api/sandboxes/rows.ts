// SPDX-License-Identifier: Apache-2.0
import type { Sandbox } from '@agenttier/crds/generated/types';
import { sandboxView } from './view.ts';
import type { SandboxView } from './view.ts';

/** A sandbox as lists show it, ready to be sent. */
export interface SandboxRow {
  readonly view: SandboxView;
  readonly json: string;
  /** Oldest first; creation has whole seconds only, so the name makes the order of a batch stable. */
  readonly order: string;
  /** Changes with everything that is shown. */
  readonly version: string;
}

/**
 * The rows of the sandboxes in the store. Each object there is one state of a sandbox and never changes, so its row is made
 * once, whoever asks however often, and goes with the object.
 */
export class SandboxRows {
  readonly #rows = new WeakMap<Sandbox, SandboxRow>();

  of(sandbox: Sandbox): SandboxRow {
    const known = this.#rows.get(sandbox);
    if (known !== undefined) return known;
    const row = rowOf(sandbox);
    this.#rows.set(sandbox, row);
    return row;
  }
}

function rowOf(sandbox: Sandbox): SandboxRow {
  const { uid = '', resourceVersion = '' } = sandbox.metadata;
  const view = sandboxView(sandbox);
  return {
    view,
    json: JSON.stringify(view),
    order: `${view.createdAt} ${view.namespace}/${view.name}`,
    version: `${uid} ${resourceVersion}`,
  };
}
