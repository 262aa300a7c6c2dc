// SPDX-License-Identifier: Apache-2.0
import { Agent } from 'node:http';
import type { Duplex } from 'node:stream';
import { openPortForward } from '@agenttier/machinery/kube/portForward';
import { type KubeObject, PODS } from '@agenttier/machinery/kube/resource';
import { type Cluster, callOptions } from '../context/cluster.ts';
import { CommandError } from '../context/failure.ts';
import type { Host } from '../context/host.ts';
import type { Upstream } from './upstream.ts';

interface Pod extends KubeObject {
  readonly spec?: {
    readonly containers?: readonly {
      readonly ports?: readonly { readonly name?: string; readonly containerPort: number }[];
    }[];
  };
  readonly status?: { readonly conditions?: readonly { readonly type: string; readonly status: string }[] };
}

interface Place {
  readonly namespace: string;
  readonly pod: string;
  readonly port: number;
}

const SELECTOR = 'app.kubernetes.io/name=agenttier,app.kubernetes.io/component=router';
/** Replicas come and go: which one is asked is looked up anew after this long, and when it does not answer. */
const FRESH_MS = 10_000;

/** The router of the installation, each connection made by the API server with the rights of the kubeconfig. */
export async function throughCluster(host: Host, cluster: Cluster, namespace: string): Promise<Upstream> {
  const finder = new Finder(
    () => findRouter(host, cluster, namespace),
    () => host.clock.now(),
  );
  await finder.place();
  const dial = async (): Promise<Duplex> => {
    const options = { signal: host.signal };
    try {
      return await openPortForward(cluster.access, { ...(await finder.place()), ...options });
    } catch {
      finder.forget();
      return openPortForward(cluster.access, { ...(await finder.place()), ...options });
    }
  };
  return { url: new URL('http://agenttier-router'), agent: new ForwardingAgent(dial) };
}

class Finder {
  readonly #find: () => Promise<Place>;
  readonly #now: () => number;
  #known: { readonly place: Promise<Place>; readonly until: number } | undefined;

  constructor(find: () => Promise<Place>, now: () => number) {
    this.#find = find;
    this.#now = now;
  }

  place(): Promise<Place> {
    if (this.#known === undefined || this.#known.until < this.#now()) {
      this.#known = { place: this.#find(), until: this.#now() + FRESH_MS };
    }
    return this.#known.place;
  }

  forget(): void {
    this.#known = undefined;
  }
}

/** Throws CommandError when none is ready. */
async function findRouter(host: Host, { client }: Cluster, namespace: string): Promise<Place> {
  const query = { namespace, labelSelector: SELECTOR };
  const { items } = await client.list<Pod>(PODS, query, callOptions(host));
  const ready = items.find(
    ({ metadata, status }) =>
      metadata.deletionTimestamp === undefined &&
      status?.conditions?.some(({ type, status: is }) => type === 'Ready' && is === 'True'),
  );
  if (ready === undefined) {
    throw new CommandError(
      items.length === 0
        ? `namespace ${namespace} holds no router of AgentTier; name the namespace with --install-namespace, or the router with --api-url`
        : `no router in namespace ${namespace} is ready`,
    );
  }
  const ports = ready.spec?.containers?.flatMap((container) => container.ports ?? []) ?? [];
  const port = ports.find(({ name }) => name === 'http')?.containerPort ?? 8080;
  return { namespace, pod: ready.metadata.name ?? '', port };
}

/** One stream through the API server for each request: they are cheap to make, and none is left behind when a router goes. */
class ForwardingAgent extends Agent {
  readonly #dial: () => Promise<Duplex>;

  constructor(dial: () => Promise<Duplex>) {
    super({ keepAlive: false });
    this.#dial = dial;
  }

  override createConnection(
    _options: unknown,
    done?: (error: Error | null, stream: Duplex) => void,
  ): undefined {
    void this.#connect(done);
    return undefined;
  }

  async #connect(done?: (error: Error | null, stream: Duplex) => void): Promise<void> {
    try {
      done?.(null, await this.#dial());
    } catch (error) {
      done?.(error as Error, undefined as unknown as Duplex);
    }
  }
}
