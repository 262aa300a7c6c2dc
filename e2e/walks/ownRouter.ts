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
  /** Settings that nobody may read off a Deployment: they come from a Secret, as those of the chart do. */
  readonly secrets?: () => Settings;
  /** Where a volume of the walk's own is mounted; its one replica is gone before the next one begins. */
  readonly volumeAt?: string;
}

/** What a router differs in from the installed one. */
interface Differences {
  readonly settings: Settings;
  readonly secrets: Settings;
  readonly volumeAt: string | undefined;
}

/**
 * A router of a walk's own, made from the installed one: same image, account, rights and settings, but a Service and
 * labels of its own. The walk may kill it or set it otherwise, while other walks go on with the installed one.
 */
export function ownRouter(walk: string, options: OwnRouterOptions): OwnRouter {
  const router = new OwnRouter(`walk-${walk}-${Date.now().toString(36)}`, options.replicas ?? 1);
  beforeAll(async () => {
    const namespaces = options.namespaces.map((name) => name());
    const { settings, secrets, volumeAt } = options;
    await router.start({ settings: settings?.() ?? {}, secrets: secrets?.() ?? {}, volumeAt }, namespaces);
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

  async start(different: Differences, namespaces: readonly string[]): Promise<void> {
    const [node] = (await getJson(['nodes'])).items as Json[];
    const { address } = node.status.addresses.find((one: Json) => one.type === 'InternalIP');
    const installed = await getJson(['deployment', INSTALLED, '-n', INSTALL]);
    const owner = ownerOf(installed);
    const port = await create(serviceOf(this.#name, owner), '{.spec.ports[0].nodePort}');
    this.#url = `http://${address}:${port}`;
    const settings = { AGENTTIER_PREVIEW_PORT: port, ...different.settings };
    const meta = metaOf(this.#name, owner);
    const podSpec = podSpecOf(this.#name, installed.spec.template.spec, { ...different, settings });
    const items = [
      secretOf(meta, different.secrets),
      ...(different.volumeAt === undefined ? [] : [claimOf(meta)]),
      deploymentOf({ name: this.#name, meta, replicas: this.#replicas, podSpec }),
      ...namespaces.map((namespace) => policyOf(this.#name, namespace)),
    ];
    await create({ apiVersion: 'v1', kind: 'List', items });
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

  /** Kills each replica, and lets none begin until `back`. */
  async away(): Promise<void> {
    const pods = await this.pods();
    await Promise.all([this.#scale(0), ...pods.map((pod) => this.kill(pod))]);
  }

  async back(): Promise<void> {
    await this.#scale(this.#replicas);
    await this.ready();
  }

  #scale(replicas: number): Promise<string> {
    return ok(kubectl(['scale', 'deployment', this.#name, '-n', INSTALL, `--replicas=${replicas}`]));
  }

  async remove(): Promise<void> {
    const mine = ['-n', INSTALL, '-l', `${LABEL}=${this.#name}`, '--wait=false'];
    await ok(kubectl(['delete', 'deployments,services,secrets,persistentvolumeclaims', ...mine]));
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

const secretOf = (meta: object, secrets: Settings): object => ({
  apiVersion: 'v1',
  kind: 'Secret',
  metadata: meta,
  stringData: secrets,
});

const claimOf = (meta: object): object => ({
  apiVersion: 'v1',
  kind: 'PersistentVolumeClaim',
  metadata: meta,
  spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '64Mi' } } },
});

interface DeploymentParts {
  readonly name: string;
  readonly meta: object;
  readonly replicas: number;
  readonly podSpec: object;
}

const deploymentOf = ({ name, meta, replicas, podSpec }: DeploymentParts): object => ({
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  metadata: meta,
  spec: {
    replicas,
    strategy: { type: 'Recreate' },
    selector: { matchLabels: { [LABEL]: name } },
    template: { metadata: { labels: { [LABEL]: name } }, spec: podSpec },
  },
});

/** A volume that is claimed is one process's own (the file of the audit store): this one has its own, or an empty one. */
function podSpecOf(name: string, installed: Json, { settings, secrets, volumeAt }: Differences): object {
  const [container] = installed.containers;
  const others = (container.env as Json[]).filter((one) => !(one.name in settings) && !(one.name in secrets));
  const own = Object.entries(settings).map(([key, value]) => ({ name: key, value }));
  const hidden = Object.keys(secrets).map((key) => ({
    name: key,
    valueFrom: { secretKeyRef: { name, key } },
  }));
  const volumes = ((installed.volumes ?? []) as Json[]).map(({ persistentVolumeClaim, ...volume }) =>
    persistentVolumeClaim === undefined ? volume : { ...volume, emptyDir: {} },
  );
  const mounts: Json[] = container.volumeMounts ?? [];
  if (volumeAt !== undefined) {
    volumes.push({ name: 'own', persistentVolumeClaim: { claimName: name } });
    mounts.push({ name: 'own', mountPath: volumeAt });
  }
  const changed = { ...container, env: [...others, ...own, ...hidden], volumeMounts: mounts };
  return { ...installed, volumes, containers: [changed] };
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
