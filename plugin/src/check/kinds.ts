// SPDX-License-Identifier: Apache-2.0
import { ALL_RESOURCES } from '@agenttier/crds/meta/resources';
import { isNotFound } from '@agenttier/machinery/kube/errors';
import type { KubeObject, Resource } from '@agenttier/machinery/kube/resource';
import { type Cluster, callOptions } from '../context/cluster.ts';
import { CommandError } from '../context/failure.ts';
import type { Host } from '../context/host.ts';

interface ApiResource {
  readonly name: string;
  readonly kind: string;
  readonly namespaced: boolean;
}

/** Finds the resource of any kind: ours are known, others are asked for once per group and version. */
export class Kinds {
  readonly #host: Host;
  readonly #cluster: Cluster;
  readonly #asked = new Map<string, Promise<readonly ApiResource[]>>();

  constructor(host: Host, cluster: Cluster) {
    this.#host = host;
    this.#cluster = cluster;
  }

  async resourceOf(object: KubeObject): Promise<Resource> {
    const apiVersion = object.apiVersion ?? '';
    const [group, version] = apiVersion.includes('/') ? apiVersion.split('/') : ['', apiVersion];
    const ours = ALL_RESOURCES.find(
      (one) => one.group === group && one.version === version && one.kind === object.kind,
    );
    if (ours) return ours;
    const known = await this.#resources(apiVersion);
    const found = known.find((one) => one.kind === object.kind && !one.name.includes('/'));
    if (!found) {
      throw new CommandError(
        `no matches for kind "${object.kind}" in version "${apiVersion}": is its definition installed?`,
      );
    }
    return {
      group: group ?? '',
      version: version ?? '',
      plural: found.name,
      kind: found.kind,
      namespaced: found.namespaced,
    };
  }

  #resources(apiVersion: string): Promise<readonly ApiResource[]> {
    const asked = this.#asked.get(apiVersion) ?? this.#ask(apiVersion);
    this.#asked.set(apiVersion, asked);
    return asked;
  }

  async #ask(apiVersion: string): Promise<readonly ApiResource[]> {
    const path = apiVersion.includes('/') ? `/apis/${apiVersion}` : `/api/${apiVersion}`;
    try {
      const answer = await this.#cluster.client.raw({ method: 'GET', path }, callOptions(this.#host));
      return (answer.body as { resources?: readonly ApiResource[] }).resources ?? [];
    } catch (error) {
      if (isNotFound(error)) return [];
      throw error;
    }
  }
}
