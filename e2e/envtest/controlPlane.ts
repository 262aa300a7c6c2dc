// SPDX-License-Identifier: Apache-2.0
import { generateKeyPairSync } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createKubeClient } from '@agenttier/machinery/kube/client';
import type { ClusterAccess } from '@agenttier/machinery/kube/client';
import { issueAuthority, issueLeaf } from '@agenttier/machinery/tls/issue';
import { nodeBinary } from './binary.ts';
import { freePorts, Program, Reaper } from './processes.ts';

/** A running etcd and kube-apiserver, without nodes and without controllers. */
export interface ControlPlane {
  /** Access as a member of system:masters. */
  readonly access: ClusterAccess;
  readonly kubeconfig: string;
  readonly etcdUrl: string;
  /** For files of the programs that are started beside it; removed at the end. */
  readonly folder: string;
  /** Starts another program, which ends with it: one of the same binary, or the one at `path`. */
  launch(name: string, args: readonly string[], path?: string): Program;
  /** Kills the API server as a crash would, and starts it again on the same port with the same data. */
  crashApiServer(): Promise<{ restart(): Promise<void> }>;
  /** Makes etcd forget every state but the present one. What the API server holds in memory stays until it is restarted. */
  compact(): Promise<void>;
  /** Ends both programs and removes their data. */
  stop(): Promise<void>;
}

const READY_MS = 60_000;
const DAY_MS = 86_400_000;

interface Layout {
  readonly folder: string;
  readonly binary: string;
  readonly etcdPort: number;
  readonly peerPort: number;
  readonly apiPort: number;
  /** Further arguments of the API server. */
  readonly extra: readonly string[];
  readonly reaper: Reaper;
}

/** Starts a control plane in a folder of its own. Cleans up after itself when that fails. */
export async function startControlPlane(
  env: Readonly<Record<string, string | undefined>>,
  apiServerArgs: (folder: string) => readonly string[] = () => [],
): Promise<ControlPlane> {
  const binary = await nodeBinary(env);
  const [etcdPort = 0, peerPort = 0, apiPort = 0] = await freePorts(3);
  const folder = await mkdtemp(join(tmpdir(), 'agenttier-envtest-'));
  const extra = apiServerArgs(folder);
  const layout = { folder, binary, etcdPort, peerPort, apiPort, extra, reaper: new Reaper(folder) };
  const programs: Program[] = [];
  const stop = async (): Promise<void> => {
    // The API server first: without etcd it would wait for it while shutting down.
    for (const program of programs.toReversed()) await program.stop();
    await rm(folder, { recursive: true, force: true, maxRetries: 3 });
    layout.reaper.dismiss();
  };
  try {
    const access = await writeCredentials(layout);
    programs.push(startEtcd(layout), startApiServer(layout));
    await ready(access, programs);
    return {
      access,
      kubeconfig: join(folder, 'kubeconfig'),
      etcdUrl: `http://127.0.0.1:${etcdPort}`,
      compact: () => compact(`http://127.0.0.1:${etcdPort}`),
      folder,
      launch: (name, args, path) => {
        const logFile = join(folder, `${name}.log`);
        const { reaper } = layout;
        const program = new Program({ binary: path ?? binary, name, args, single: !!path, logFile, reaper });
        programs.push(program);
        return program;
      },
      crashApiServer: () => crash(layout, access, programs),
      stop,
    };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** Through the JSON gateway of etcd. */
async function compact(etcdUrl: string): Promise<void> {
  const post = async (path: string, body: unknown): Promise<{ header: { revision: string } }> => {
    const response = await fetch(`${etcdUrl}${path}`, { method: 'POST', body: JSON.stringify(body) });
    if (!response.ok) throw new Error(`etcd answers ${response.status} to ${path}: ${await response.text()}`);
    return (await response.json()) as { header: { revision: string } };
  };
  const { header } = await post('/v3/kv/range', { key: Buffer.from('x').toString('base64') });
  await post('/v3/kv/compaction', { revision: header.revision, physical: true });
}

async function crash(
  layout: Layout,
  access: ClusterAccess,
  programs: Program[],
): Promise<{ restart(): Promise<void> }> {
  await programs.pop()?.kill();
  return {
    restart: async () => {
      programs.push(startApiServer(layout));
      await ready(access, programs);
    },
  };
}

function startEtcd({ folder, binary, etcdPort, peerPort, reaper }: Layout): Program {
  const client = `http://127.0.0.1:${etcdPort}`;
  const peer = `http://127.0.0.1:${peerPort}`;
  const args = [
    `--data-dir=${join(folder, 'etcd')}`,
    `--listen-client-urls=${client}`,
    `--advertise-client-urls=${client}`,
    `--listen-peer-urls=${peer}`,
    `--initial-advertise-peer-urls=${peer}`,
    `--initial-cluster=default=${peer}`,
    // Nothing here outlives the test run, so nothing needs to survive a power cut.
    '--unsafe-no-fsync',
  ];
  return new Program({ binary, name: 'etcd', args, logFile: join(folder, 'etcd.log'), reaper });
}

function startApiServer({ folder, binary, etcdPort, apiPort, extra, reaper }: Layout): Program {
  const file = (name: string): string => join(folder, name);
  const args = [
    `--etcd-servers=http://127.0.0.1:${etcdPort}`,
    `--secure-port=${apiPort}`,
    '--bind-address=127.0.0.1',
    // A loopback address cannot be an endpoint of the `kubernetes` Service, and nothing dials that here.
    '--endpoint-reconciler-type=none',
    `--cert-dir=${file('apiserver')}`,
    `--tls-cert-file=${file('apiserver.crt')}`,
    `--tls-private-key-file=${file('apiserver.key')}`,
    `--client-ca-file=${file('ca.crt')}`,
    '--service-account-issuer=https://kubernetes.default.svc',
    `--service-account-key-file=${file('sa.pub')}`,
    `--service-account-signing-key-file=${file('sa.key')}`,
    '--service-cluster-ip-range=10.96.0.0/16',
    '--authorization-mode=Node,RBAC',
    '--allow-privileged=true',
    '--shutdown-delay-duration=0s',
    ...extra,
  ];
  return new Program({ binary, name: 'kube-apiserver', args, logFile: file('apiserver.log'), reaper });
}

/** Writes CA, server certificate, ServiceAccount keys and an administrator's kubeconfig into the folder. */
async function writeCredentials({ folder, apiPort }: Layout): Promise<ClusterAccess> {
  const validity = { from: Date.now() - 3_600_000, until: Date.now() + DAY_MS };
  const ca = await issueAuthority('envtest-ca', validity);
  const server = await issueLeaf(ca, {
    dnsNames: ['localhost', 'kubernetes.default.svc'],
    ipAddresses: ['127.0.0.1', '10.96.0.1'],
    validity,
  });
  const admin = await issueLeaf(ca, {
    dnsNames: [],
    subject: 'CN=envtest-admin,O=system:masters',
    use: 'client',
    validity,
  });
  const serviceAccount = generateKeyPairSync('rsa', {
    modulusLength: 2048,
    publicKeyEncoding: { type: 'spki', format: 'pem' },
    privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
  });
  const url = `https://127.0.0.1:${apiPort}`;
  const files = {
    'ca.crt': ca.cert,
    'apiserver.crt': server.cert,
    'apiserver.key': server.key,
    'sa.key': serviceAccount.privateKey,
    'sa.pub': serviceAccount.publicKey,
    kubeconfig: kubeconfig(url, ca.cert, admin),
  };
  for (const [name, text] of Object.entries(files))
    await writeFile(join(folder, name), text, { mode: 0o600 });
  return { server: url, ca: ca.cert, clientCert: admin.cert, clientKey: admin.key, namespace: 'default' };
}

const encode = (pem: string): string => Buffer.from(pem).toString('base64');

function kubeconfig(
  server: string,
  ca: string,
  admin: { readonly cert: string; readonly key: string },
): string {
  return JSON.stringify({
    apiVersion: 'v1',
    kind: 'Config',
    'current-context': 'envtest',
    clusters: [{ name: 'envtest', cluster: { server, 'certificate-authority-data': encode(ca) } }],
    users: [
      {
        name: 'admin',
        user: { 'client-certificate-data': encode(admin.cert), 'client-key-data': encode(admin.key) },
      },
    ],
    contexts: [{ name: 'envtest', context: { cluster: 'envtest', user: 'admin' } }],
  });
}

/** Waits for /readyz, or fails at once when a program has ended. */
async function ready(access: ClusterAccess, programs: readonly Program[]): Promise<void> {
  const client = createKubeClient(access);
  const deadline = performance.now() + READY_MS;
  try {
    for (;;) {
      for (const program of programs) program.check();
      const answer = await client
        .raw({ method: 'GET', path: '/readyz' }, { timeoutMs: 2000 })
        .catch((error: unknown) => error);
      if (!(answer instanceof Error)) return;
      if (performance.now() > deadline)
        throw new Error(`the API server was not ready in time: ${answer.message}`);
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  } finally {
    await client.close();
  }
}
