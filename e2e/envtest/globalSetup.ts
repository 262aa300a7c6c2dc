// SPDX-License-Identifier: Apache-2.0
import { fileURLToPath } from 'node:url';
import { createKubeClient } from '@agenttier/machinery/kube/client';
import type { TestProject } from 'vitest/node';
import { type ControlPlane, startControlPlane } from './controlPlane.ts';
import { installCrds } from './crds.ts';

const CRDS = fileURLToPath(new URL('../../crds', import.meta.url));

/**
 * Starts an API server for each worker: files that run at the same time have nothing in common then, not even what has no
 * namespace. Vitest calls the returned function at the end.
 */
export async function setup(project: TestProject): Promise<() => Promise<void>> {
  const workers = project.config.maxWorkers;
  const started = await Promise.allSettled(Array.from({ length: workers }, startServer));
  const servers = started.flatMap((one) => (one.status === 'fulfilled' ? [one.value] : []));
  const stop = async (): Promise<void> => {
    await Promise.all(servers.map((server) => server.stop()));
  };
  const failed = started.find((one) => one.status === 'rejected');
  if (failed !== undefined) {
    await stop();
    throw failed.reason;
  }
  project.provide(
    'kubeconfigs',
    servers.map(({ kubeconfig }) => kubeconfig),
  );
  return stop;
}

async function startServer(): Promise<ControlPlane> {
  const controlPlane = await startControlPlane(process.env);
  try {
    const client = createKubeClient(controlPlane.access);
    await installCrds(client, CRDS);
    await client.close();
    return controlPlane;
  } catch (error) {
    await controlPlane.stop();
    throw error;
  }
}
