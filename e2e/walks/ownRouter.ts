// SPDX-License-Identifier: Apache-2.0
import { afterAll, beforeAll } from 'vitest';
import { killPod } from '../cluster/podProcesses.ts';
import { getJson, type Json, kubectl, ok, until } from './harness.ts';

const INSTALL = 'agenttier';
const INSTALLED = 'agenttier-router';
/** None of the product's labels: neither its Services nor its policies nor other walks select by this. */
const LABEL = 'walk-router';
const RUNTIME_PORT = 9000;

type Settings = Readonly<Record<string, string>>;

export interface RouterPod {
  readonly name: string;
  readonly uid: string;
  /** The replica itself, without the Service before it. */
  readonly url: string;
}

export interface OwnRouterOptions {
  readonly replicas?: number;
  /** Namespaces of the walk: their sandboxes let this router in as they let in the installed one. */
  readonly namespaces: readonly (() => string)[];
  /** Beside the settings of the installed router, or instead of them; asked for when earlier hooks have run. */
  readonly settings?: () => Settings;
}

/**
 * A router of a walk's own, made from the installed one: same image, account, rights and settings, but a Service and
 * labels of its own. The walk may kill it or set it otherwise, while other walks go on with the installed one.
 */
export function ownRouter(walk: string, options: OwnRouterOptions): OwnRouter {
  const router = new OwnRouter(`walk-${walk}-${Date.now().toString(36)}`, options.replicas ?? 1);
  beforeAll(async () => {
    const namespaces = options.namespaces.map((name) => name());
    await router.start(options.settings?.() ?? {}, namespaces);
  });
  afterAll(() => router.remove());
  return router;
}

export class OwnRouter {
  readonly #name: string;
  readonly #replicas: number;
  #url = '';

  constructor(name: string, replicas: number) {
    this.#name = name;
    this.#replicas = replicas;
  }

  /** Its Service, by a port of the node. */
  get url(): string {
    return this.#url;
  }

  /** What the plugin needs in its environment to come here instead of to the installed router. */
  get env(): Settings {
    return { AGENTTIER_API_URL: this.#url };
  }

  async start(settings: Settings, namespaces: readonly string[]): Promise<void> {
    const [node] = (await getJson(['nodes'])).items as Json[];
    const { address } = node.status.addresses.find((one: Json) => one.type === 'InternalIP');
    const installed = await getJson(['deployment', INSTALLED, '-n', INSTALL]);
    const owner = ownerOf(installed);
    const port = await create(serviceOf(this.#name, owner), '{.spec.ports[0].nodePort}');
    this.#url = `http://${address}:${port}`;
    const own = { AGENTTIER_PREVIEW_PORT: port, ...settings };
    const podSpec = podSpecOf(installed.spec.template.spec, own);
    const deployment = deploymentOf(this.#name, owner, this.#replicas, podSpec);
    const policies = namespaces.map((namespace) => policyOf(this.#name, namespace));
    await create({ apiVersion: 'v1', kind: 'List', items: [deployment, ...policies] });
    await this.ready();
  }

  /** Waits until every replica takes requests and the Service knows of it. */
  async ready(): Promise<void> {
    const slices = ['endpointslices', '-n', INSTALL, '-l', `kubernetes.io/service-name=${this.#name}`];
    await until(`${this.#name} to be ready`, async () => {
      const { items } = await getJson(slices);
      const ready = (items as Json[])
        .flatMap(({ endpoints }) => endpoints ?? [])
        .filter(({ conditions }) => conditions.ready);
      return ready.length === this.#replicas && (await fetch(`${this.#url}/readyz`)).ok;
    });
  }

  /** The replicas that are not on their way out. */
  async pods(): Promise<RouterPod[]> {
    const { items } = await getJson(['pods', '-n', INSTALL, '-l', `${LABEL}=${this.#name}`]);
    return (items as Json[])
      .filter(({ metadata, status }) => metadata.deletionTimestamp === undefined && status.podIP)
      .map(({ metadata, status }) => ({
        name: metadata.name,
        uid: metadata.uid,
        url: `http://${status.podIP}:8080`,
      }));
  }

  /** SIGKILL: nothing in the replica can say goodbye. Where the node is elsewhere, as near to that as kubectl comes. */
  async kill(pod: RouterPod): Promise<void> {
    if (killPod(pod.uid) > 0) return;
    await ok(kubectl(['delete', 'pod', pod.name, '-n', INSTALL, '--grace-period=0', '--force']));
  }

  async remove(): Promise<void> {
    const mine = ['-n', INSTALL, '-l', `${LABEL}=${this.#name}`, '--wait=false'];
    await ok(kubectl(['delete', 'deployments,services', ...mine]));
  }
}

const create = (object: object, told = '{.kind}'): Promise<string> =>
  ok(kubectl(['create', '-f', '-', '-o', `jsonpath=${told}`], { stdin: JSON.stringify(object) }));

/** What a walk that was interrupted leaves behind goes with the installation. */
const ownerOf = ({ metadata }: Json): object => ({
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  name: metadata.name,
  uid: metadata.uid,
});

const metaOf = (name: string, owner: object): object => ({
  name,
  namespace: INSTALL,
  labels: { [LABEL]: name },
  ownerReferences: [owner],
});

const serviceOf = (name: string, owner: object): object => ({
  apiVersion: 'v1',
  kind: 'Service',
  metadata: metaOf(name, owner),
  spec: {
    type: 'NodePort',
    selector: { [LABEL]: name },
    ports: [{ name: 'http', port: 8080, targetPort: 'http' }],
  },
});

const deploymentOf = (name: string, owner: object, replicas: number, podSpec: object): object => ({
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  metadata: metaOf(name, owner),
  spec: {
    replicas,
    selector: { matchLabels: { [LABEL]: name } },
    template: { metadata: { labels: { [LABEL]: name } }, spec: podSpec },
  },
});

/** A volume that is claimed is one process's own (the file of the audit store): this one starts with an empty one. */
function podSpecOf(installed: Json, settings: Settings): object {
  const [container] = installed.containers;
  const others = (container.env as Json[]).filter(({ name }) => !(name in settings));
  const own = Object.entries(settings).map(([name, value]) => ({ name, value }));
  const volumes = ((installed.volumes ?? []) as Json[]).map(({ persistentVolumeClaim, ...volume }) =>
    persistentVolumeClaim === undefined ? volume : { ...volume, emptyDir: {} },
  );
  return { ...installed, volumes, containers: [{ ...container, env: [...others, ...own] }] };
}

/** Policies add up, so the walk's sandboxes are open to its router as the operator's policy makes them to ours. */
const policyOf = (name: string, namespace: string): object => ({
  apiVersion: 'networking.k8s.io/v1',
  kind: 'NetworkPolicy',
  metadata: { name, namespace },
  spec: {
    podSelector: { matchLabels: { 'agenttier.io/managed': 'true' } },
    policyTypes: ['Ingress'],
    ingress: [
      {
        from: [
          {
            namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': INSTALL } },
            podSelector: { matchLabels: { [LABEL]: name } },
          },
        ],
        ports: [{ protocol: 'TCP', port: RUNTIME_PORT }],
      },
    ],
  },
});
