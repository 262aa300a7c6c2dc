// SPDX-License-Identifier: Apache-2.0
import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { connect, createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { ownedLabels } from '@agenttier/crds/meta/labels';
import { SANDBOXES } from '@agenttier/crds/meta/resources';
import { adminClient, adminKubeconfig, freshNamespace } from '@agenttier/e2e/envtest/server';
import type { KubeClient } from '@agenttier/machinery/kube/client';
import { PODS, SERVICE_ACCOUNTS } from '@agenttier/machinery/kube/resource';
import type { KubeObject, Resource } from '@agenttier/machinery/kube/resource';
import { until } from '@agenttier/machinery/testing/until';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parse, parseAllDocuments, stringify } from 'yaml';
import { basic } from './testing/world.ts';

const MAIN = fileURLToPath(new URL('main.ts', import.meta.url));
const RBAC = { group: 'rbac.authorization.k8s.io', version: 'v1', namespaced: false } as const;
const ROLES: Resource = { ...RBAC, plural: 'clusterroles', kind: 'ClusterRole' };
const BINDINGS: Resource = { ...RBAC, plural: 'clusterrolebindings', kind: 'ClusterRoleBinding' };

let admin: KubeClient;
let namespace: string;
let folder: string;
let child: ChildProcess;
let ports: number[];

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}

/** A kubeconfig of a ServiceAccount that has the rights of the chart's gateway, and no others. */
async function asGateway(): Promise<string> {
  const path = new URL('../../helm/agenttier/templates/gateway/rbac.yaml', import.meta.url);
  const chart = (await readFile(path, 'utf8')).replaceAll(/^.*\{\{.*\}\}.*$/gm, '');
  const role = parseAllDocuments(chart)
    .map((one) => one.toJS() as KubeObject | null)
    .find((one) => one?.kind === 'ClusterRole');
  if (!role) throw new Error('the chart has no ClusterRole for the gateway');
  await admin.create(ROLES, undefined, role);
  await admin.create(SERVICE_ACCOUNTS, namespace, { metadata: { name: 'gateway' } });
  await admin.create(BINDINGS, undefined, {
    metadata: { name: 'gateway-envtest' },
    roleRef: { apiGroup: RBAC.group, kind: 'ClusterRole', name: role.metadata.name },
    subjects: [{ kind: 'ServiceAccount', name: 'gateway', namespace }],
  } as KubeObject);
  const token = await admin.raw({
    method: 'POST',
    path: `/api/v1/namespaces/${namespace}/serviceaccounts/gateway/token`,
    body: { apiVersion: 'authentication.k8s.io/v1', kind: 'TokenRequest', spec: {} },
  });
  const config = parse(await readFile(adminKubeconfig(), 'utf8')) as { users: { user: object }[] };
  const user = { token: (token.body as { status: { token: string } }).status.token };
  const users = config.users.map((one) => ({ ...one, user }));
  const file = join(folder, 'kubeconfig');
  await writeFile(file, stringify({ ...config, users }), { mode: 0o600 });
  return file;
}

beforeAll(async () => {
  admin = await adminClient();
  namespace = await freshNamespace('gateway');
  folder = await mkdtemp(join(tmpdir(), 'gateway-'));
  ports = [await freePort(), await freePort()];
  const env = {
    PATH: process.env['PATH'] ?? '',
    KUBECONFIG: await asGateway(),
    PROXY_PORT: String(ports[0]),
    HEALTH_PORT: String(ports[1]),
  };
  child = spawn(process.execPath, [MAIN], { env, stdio: ['ignore', 'pipe', 'inherit'] });
  let said = '';
  child.stdout?.on('data', (chunk: Buffer) => (said += chunk.toString()));
  await until(async () => {
    const response = await fetch(`http://127.0.0.1:${ports[1]}/readyz`).catch(() => undefined);
    return response?.status === 200;
  }, 'the gateway to be ready').catch((error: unknown) => {
    throw new Error(`${String(error)}\n${said}`);
  });
});

afterAll(async () => {
  child.kill('SIGTERM');
  if (child.exitCode === null) await once(child, 'exit');
  await rm(folder, { recursive: true });
});

async function sandbox(name: string, allowedDomains: string[]): Promise<KubeObject> {
  const spec = { resolved: { hash: 'x', spec: { network: { allowedDomains } } } };
  return admin.create(SANDBOXES, namespace, { metadata: { name, namespace }, spec } as KubeObject);
}

/** A pod of the sandbox at the address that this test speaks from. */
async function pod(name: string, { metadata }: KubeObject): Promise<string> {
  const made = await admin.create(PODS, namespace, {
    metadata: { name, labels: ownedLabels(metadata.name ?? '', metadata.uid ?? '') },
    spec: { containers: [{ name: 'x', image: 'example.test/x' }] },
  } as KubeObject);
  const status = { phase: 'Running', podIP: '127.0.0.1', podIPs: [{ ip: '127.0.0.1' }] };
  const patch = { type: 'merge', body: { status } } as const;
  await admin.patch(PODS, { namespace, name }, patch, { subresource: 'status' });
  return made.metadata.uid ?? '';
}

async function ask(host: string, podUid: string): Promise<string> {
  const socket = connect(ports[0] ?? 0, '127.0.0.1');
  socket.write(`CONNECT ${host}:443 HTTP/1.1\r\nProxy-Authorization: ${basic(podUid)}\r\n\r\n`);
  const answer = await text(socket);
  return /\[(\w+)\]/.exec(answer)?.[1] ?? answer;
}

describe('the gateway as a process, with the rights of the chart, on a real API server', () => {
  it('knows a sandbox by its pod and its own list, as they are now', async () => {
    const one = await sandbox('one', ['listed.invalid']);
    const uid = await pod('one-pod', one);
    // Nobody has that name; that it was asked for shows that it was let through.
    expect(await ask('listed.invalid', uid)).toBe('name_not_found');
    expect(await ask('other.invalid', uid)).toBe('domain_not_allowed');
    const spec = { resolved: { hash: 'y', spec: { network: { allowedDomains: ['other.invalid'] } } } };
    await admin.patch(SANDBOXES, { namespace, name: 'one' }, { type: 'merge', body: { spec } });
    await until(async () => (await ask('other.invalid', uid)) === 'name_not_found', 'the edit to be known');
    expect(await ask('listed.invalid', uid)).toBe('domain_not_allowed');
  });

  it('gives a pod that took over an address nothing of the one before', async () => {
    const old = await sandbox('old', ['old.invalid']);
    const before = await pod('old-pod', old);
    expect(await ask('old.invalid', before)).toBe('name_not_found');
    await admin.delete(PODS, { namespace, name: 'old-pod' }, { gracePeriodSeconds: 0 });
    const next = await sandbox('next', ['next.invalid']);
    const uid = await pod('next-pod', next);
    expect(await ask('old.invalid', uid)).toBe('domain_not_allowed');
    expect(await ask('next.invalid', uid)).toBe('name_not_found');
    expect(await ask('old.invalid', before)).toBe('unknown_caller');
  });
});
