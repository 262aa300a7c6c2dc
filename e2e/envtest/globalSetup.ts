// SPDX-License-Identifier: Apache-2.0
import { fileURLToPath } from 'node:url';
import { createKubeClient } from '@agenttier/machinery/kube/client';
import type { TestProject } from 'vitest/node';
import { startControlPlane } from './controlPlane.ts';
import { installCrds } from './crds.ts';

const CRDS = fileURLToPath(new URL('../../crds', import.meta.url));

/** Starts one API server for all *.envtest.ts files of a run; vitest calls the returned function at the end. */
export async function setup(project: TestProject): Promise<() => Promise<void>> {
  const controlPlane = await startControlPlane(process.env);
  try {
    const client = createKubeClient(controlPlane.access);
    await installCrds(client, CRDS);
    await client.close();
  } catch (error) {
    await controlPlane.stop();
    throw error;
  }
  project.provide('kubeconfig', controlPlane.kubeconfig);
  return () => controlPlane.stop();
}
