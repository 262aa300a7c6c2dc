// SPDX-License-Identifier: Apache-2.0
import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { RUNTIME_KEY_SECRET } from '@agenttier/crds/meta/names';
import { CLUSTER_SANDBOX_TEMPLATES, SANDBOXES } from '@agenttier/crds/meta/resources';
import { adminClient, adminKubeconfig, freshNamespace } from '@agenttier/e2e/envtest/server';
import type { KubeClient } from '@agenttier/machinery/kube/client';
import { isNotFound } from '@agenttier/machinery/kube/errors';
import { LEASES, PODS, SECRETS } from '@agenttier/machinery/kube/resource';
import type { KubeObject } from '@agenttier/machinery/kube/resource';
import { readSharedKey } from '@agenttier/machinery/secrets/sharedKey';
import { until } from '@agenttier/machinery/testing/until';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { sandbox } from './testing/fixtures.ts';

const MAIN = fileURLToPath(new URL('main.ts', import.meta.url));

interface Process {
  readonly child: ChildProcess;
  readonly name: string;
  readonly port: number;
  readonly output: string[];
}

let admin: KubeClient;
let install: string;
let team: string;
const processes: Process[] = [];

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}

async function launch(name: string): Promise<Process> {
  const port = await freePort();
  const env = {
    PATH: process.env['PATH'] ?? '',
    KUBECONFIG: adminKubeconfig(),
    POD_NAME: name,
    POD_NAMESPACE: install,
    HEALTH_PORT: String(port),
    RUNTIME_IMAGE: 'example.test/agenttier/runtime:1',
    DIRECT_PROBE: 'false',
  };
  const child = spawn(process.execPath, [MAIN], { env, stdio: ['ignore', 'pipe', 'pipe'] });
  const output: string[] = [];
  for (const stream of [child.stdout, child.stderr])
    stream.on('data', (chunk: Buffer) => output.push(chunk.toString()));
  const started = { child, name, port, output };
  processes.push(started);
  await until(
    async () => (await get(started, '/readyz')).status === 200,
    `${name} to be ready: ${output.join('')}`,
  );
  return started;
}

async function get({ port }: Process, path: string): Promise<{ status: number; text: string }> {
  try {
    const response = await fetch(`http://127.0.0.1:${port}${path}`);
    return { status: response.status, text: await response.text() };
  } catch {
    return { status: 0, text: '' };
  }
}

/** Nobody while there is no lease: a replica is ready before it leads. */
const holder = async (): Promise<string> => {
  const key = { namespace: install, name: 'agenttier-operator' };
  const lease = await admin
    .get<KubeObject & { spec: { holderIdentity?: string } }>(LEASES, key)
    .catch((error: unknown) => {
      if (!isNotFound(error)) throw error;
      return undefined;
    });
  return lease?.spec.holderIdentity ?? '';
};

const pods = async (): Promise<number> => (await admin.list(PODS, { namespace: team })).items.length;

/** Exit code and signal, also of a process that has ended already. */
async function exitOf({ child }: Process): Promise<[number | null, string | null]> {
  if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
  return [child.exitCode, child.signalCode];
}

const apply = async (name: string): Promise<void> => {
  const { metadata, spec } = sandbox({
    name,
    spec: { image: { repository: 'example.test/tools' } },
    chain: [],
  });
  const { templateRef: _, ...rest } = spec ?? {};
  const { annotations, finalizers } = metadata;
  await admin.create(SANDBOXES, team, {
    metadata: { name, namespace: team, annotations, finalizers },
    spec: rest,
  } as KubeObject);
};

beforeAll(async () => {
  admin = await adminClient();
  install = await freshNamespace('install');
  team = await freshNamespace('team');
});

afterAll(async () => {
  for (const { child } of processes) {
    if (child.exitCode !== null || child.signalCode !== null) continue;
    child.kill('SIGKILL');
    await once(child, 'exit');
  }
});

describe('two operator processes', () => {
  it('one leads, both are ready, and the other goes on when the leader stops in the middle', async () => {
    const first = await launch('operator-a');
    await until(async () => (await holder()).startsWith('operator-a_'), 'the first to lead');
    const second = await launch('operator-b');
    const names = Array.from({ length: 20 }, (_, index) => `burst-${index}`);
    const [early, late] = [names.slice(0, 10), names.slice(10)];
    await Promise.all(early.map((name) => apply(name)));
    await until(async () => (await pods()) > 2, 'the first pods');
    first.child.kill('SIGTERM');
    await Promise.all(late.map((name) => apply(name)));
    const [code] = await exitOf(first);
    expect(code, first.output.join('')).toBe(0);
    await until(async () => (await pods()) === names.length, 'all pods', 20_000);
    await until(async () => (await holder()).startsWith('operator-b_'), 'the second to lead');
    const metrics = await get(second, '/metrics');
    expect(metrics.text).toMatch(/agenttier_leader\{component="operator"\} 1/);
    expect(metrics.text).toMatch(
      /agenttier_sandboxes\{phase="Creating",mode="code",template="[^"]+",component="operator"\} \d+/,
    );
    expect((await get(second, '/healthz')).status).toBe(200);
    expect((await get(second, '/elsewhere')).status).toBe(404);
  });

  it('share one key, which the router finds by its label and no log shows', async () => {
    const labelSelector = 'agenttier.io/secret-purpose=runtime-key';
    const { items } = await admin.list(SECRETS, { namespace: install, labelSelector });
    expect(items.map(({ metadata }) => metadata.name)).toEqual([RUNTIME_KEY_SECRET]);
    const key = await readSharedKey(admin, { namespace: install, name: RUNTIME_KEY_SECRET });
    expect(key).toHaveLength(32);
    const logged = processes.map(({ output }) => output.join('')).join('');
    for (const form of [key?.toString('base64'), key?.toString('hex'), key?.join(',')])
      expect(logged).not.toContain(form);
  });

  it('ends with an error when the lease is taken away from it', async () => {
    const leader = processes.at(-1) as Process;
    const lease = await admin.get<KubeObject & { spec: object }>(LEASES, {
      namespace: install,
      name: 'agenttier-operator',
    });
    const spec = {
      ...lease.spec,
      holderIdentity: 'somebody-else',
      renewTime: new Date().toISOString().replace('Z', '000Z'),
    };
    await admin.update(LEASES, { ...lease, spec } as KubeObject);
    expect(await exitOf(leader)).toEqual([1, null]);
  });

  it('applies the templates of a folder and ends', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'templates-'));
    const text = JSON.stringify({
      apiVersion: 'agenttier.io/v1alpha1',
      kind: 'ClusterSandboxTemplate',
      metadata: { name: 'from-a-file' },
      spec: { image: { repository: 'example.test/tools' } },
    });
    await writeFile(join(folder, 'one.yaml'), text);
    const env = { PATH: process.env['PATH'] ?? '', KUBECONFIG: adminKubeconfig() };
    const child = spawn(process.execPath, [MAIN, 'apply', folder], { env, stdio: 'inherit' });
    expect(await once(child, 'exit')).toEqual([0, null]);
    expect((await admin.get(CLUSTER_SANDBOX_TEMPLATES, { name: 'from-a-file' })).metadata.generation).toBe(1);
    await rm(folder, { recursive: true });
  });

  it('refuses to start with a configuration that it cannot use', async () => {
    const child = spawn(process.execPath, [MAIN], {
      env: { PATH: process.env['PATH'] ?? '', WORKERS: 'many' },
      stdio: 'pipe',
    });
    const errors: string[] = [];
    child.stdout.on('data', (chunk: Buffer) => errors.push(chunk.toString()));
    const [code] = (await once(child, 'exit')) as [number | null];
    expect(code).toBe(1);
    expect(errors.join('')).toContain('WORKERS');
  });
});
