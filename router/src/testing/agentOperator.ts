// SPDX-License-Identifier: Apache-2.0
import type { Sandbox, SandboxStatus } from '@agenttier/crds/generated/types';
import { installLogName } from '@agenttier/crds/meta/names';
import { SANDBOXES } from '@agenttier/crds/meta/resources';
import { CONFIG_MAPS } from '@agenttier/machinery/kube/resource';
import type { KubeObject } from '@agenttier/machinery/kube/resource';
import type { Harness } from './harness.ts';
import { REAL_UID } from './realRuntime.ts';
import { runtimeToken } from './tokens.ts';

type AgentStatus = NonNullable<SandboxStatus['agentConfigure']>;
type Stored = Sandbox & KubeObject;

interface Install {
  readonly id: string;
  readonly state: string;
  readonly exitCode: number;
  readonly log: string;
}

/** What the operator does for one agent: has its runtime told and its installation done, and writes the status. */
export class AgentOperator {
  readonly #port: number;
  readonly #harness: Harness;
  readonly #patch: Harness['api']['patch'];
  #generation = 1;
  #worked = 0;
  #installed: string | undefined;
  #status: AgentStatus = { state: 'Ready', podUid: `pod-of-${REAL_UID}` };

  private constructor(port: number, harness: Harness) {
    this.#port = port;
    this.#harness = harness;
    this.#patch = harness.api.patch.bind(harness.api);
  }

  static work(port: number, harness: Harness): void {
    const operator = new AgentOperator(port, harness);
    Object.assign(harness.api, { patch: operator.#counting.bind(operator) });
  }

  /** Generations are counted as the API server does: one for each change of the spec. */
  async #counting(...[resource, key, given]: Parameters<Harness['api']['patch']>): Promise<KubeObject> {
    const before = JSON.stringify((await this.#harness.api.get<Stored>(resource, key)).spec);
    const after = await this.#patch<Stored>(resource, key, given);
    if (JSON.stringify(after.spec) !== before) this.#generation++;
    const stored = this.#seen(after);
    void this.#work(stored);
    return stored;
  }

  /** As the watch brings it. */
  #seen(sandbox: Stored): Stored {
    const metadata = { ...sandbox.metadata, uid: REAL_UID, generation: this.#generation };
    const stored = { ...sandbox, metadata };
    this.#harness.router.stores.sandboxes.applyWatch(stored);
    return stored;
  }

  async #work(sandbox: Stored): Promise<void> {
    if (this.#generation === this.#worked) return;
    this.#worked = this.#generation;
    const { entrypoint, ...install } = sandbox.spec?.agentConfig ?? {};
    await this.#ask('PUT', '/agent', { hash: 'h', entrypoint: entrypoint ?? [] });
    this.#status = { ...this.#status, ...(entrypoint ? { entrypoint } : {}) };
    await this.#say(sandbox, await this.#install(sandbox, install));
  }

  async #install(
    sandbox: Stored,
    { installCommand = [], files = [], hash }: NonNullable<NonNullable<Sandbox['spec']>['agentConfig']>,
  ): Promise<AgentStatus> {
    const id = JSON.stringify([installCommand, files, hash]);
    if (installCommand.length + files.length === 0) return { state: 'Ready' };
    if (id === this.#installed) return { state: 'Ready', skipped: true };
    await this.#ask('POST', '/install', { id, command: installCommand, files });
    await this.#say(sandbox, { state: 'Installing' });
    let install = await this.#ask<Install>('GET', '/install?wait=10s');
    while (install.state === 'running') install = await this.#ask<Install>('GET', '/install?wait=10s');
    await this.#keep(sandbox, install.log);
    if (install.exitCode === 0) this.#installed = id;
    const state = install.exitCode === 0 ? 'Ready' : 'Failed';
    return { state, installCommandHash: id, installExitCode: install.exitCode };
  }

  async #say({ metadata }: Stored, change: AgentStatus): Promise<void> {
    const { skipped: _skipped, ...last } = this.#status;
    this.#status = { ...last, ...change };
    const key = { namespace: metadata.namespace, name: metadata.name ?? '' };
    const status = {
      observedGeneration: this.#generation,
      agentConfigure: { skipped: null, ...this.#status },
    };
    const stored = await this.#patch<Stored>(SANDBOXES, key, { type: 'merge', body: { status } });
    this.#seen(stored);
  }

  async #keep({ metadata }: Stored, log: string): Promise<void> {
    const { namespace, name = '' } = metadata;
    const ownerReferences = [{ apiVersion: 'v1', kind: 'Sandbox', name, uid: REAL_UID }];
    await this.#harness.api.apply(CONFIG_MAPS, {
      metadata: { namespace: namespace ?? '', name: installLogName(name), ownerReferences },
      data: { log },
    } as KubeObject);
  }

  async #ask<T>(method: string, path: string, body?: object): Promise<T> {
    const answer = await fetch(`http://127.0.0.1:${this.#port}${path}`, {
      method,
      headers: { authorization: `Bearer ${runtimeToken(REAL_UID)}` },
      ...(body ? { body: JSON.stringify(body) } : {}),
    });
    if (!answer.ok) throw new Error(`${path}: ${await answer.text()}`);
    return (await answer.json()) as T;
  }
}
