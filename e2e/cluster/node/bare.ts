// SPDX-License-Identifier: Apache-2.0
import { previewValues } from '../install/previews.ts';
import { readFileSync } from 'node:fs';
import type { Cluster, Start } from '../cluster.ts';
import { type BuildPlace, programPath } from '../install/binaries.ts';
import { dnsObjects } from '../install/dns.ts';
import { writeKubeconfig } from '../install/env.ts';
import { LOCAL_REGISTRY } from '../install/images.ts';
import { Kubectl } from '../install/kubectl.ts';
import { ensureNodeImages, nodeImages } from '../install/nodeImages.ts';
import { policyAgentObjects, queueHasListener } from '../install/policyAgent.ts';
import { waitFor } from '../host/waitFor.ts';
import { containerd } from './containerd.ts';
import { controlPlane } from './controlPlane.ts';
import { type Gvisor, labelNode } from './gvisor.ts';
import { kubeProxy, kubelet } from './kubelet.ts';
import { net, paths } from './layout.ts';
import { loadIntoNode } from './load.ts';
import { ensureNetwork } from './network.ts';
import { ensurePki, kubeconfigFile } from './pki.ts';
import { Processes, isAlive } from './processes.ts';
import { claimNode, nodeOwner } from './state.ts';
import { ensureStorage } from './storage.ts';
import { anyAlive, clearRemains, readQueueTable, teardown } from './teardown.ts';

/** Makes the machine ready for a node of this checkout: another checkout's node goes, a crashed one's remains too. */
async function prepare(checkout: string): Promise<string> {
  const owner = nodeOwner();
  if (owner !== undefined && owner !== checkout) await teardown();
  const processes = new Processes(paths.run);
  const alive = (name: string): boolean => {
    const record = processes.record(name);
    return record !== undefined && isAlive(record);
  };
  if (owner === checkout && !anyAlive(processes, alive)) await clearRemains();
  await claimNode(checkout);
  await ensurePki();
  await ensureNetwork();
  return owner === undefined ? 'new' : owner === checkout ? 'this checkout' : `took over from ${owner}`;
}

async function startProcesses(binary: string, gvisor: Gvisor): Promise<string> {
  const processes = new Processes(paths.run);
  const control = controlPlane(binary);
  const done: string[] = [];
  const ensure = async (spec: Parameters<Processes['ensure']>[0]): Promise<void> => {
    const what = await processes.ensure(spec);
    if (what !== 'kept') done.push(`${spec.name}${what === 'restarted' ? ' (again)' : ''}`);
  };
  const runtime = containerd(gvisor).then(ensure);
  await ensure(control.etcd);
  await ensure(control.apiServer);
  await Promise.all([ensure(control.controllerManager), ensure(control.scheduler), runtime]);
  return done.length === 0 ? 'all running' : done.join(' ');
}

async function startKubelet(binary: string, kubectl: Kubectl): Promise<string> {
  const processes = new Processes(paths.run);
  // The proxy counts as healthy once its node object exists, which the kubelet creates.
  const [what] = await Promise.all([processes.ensure(kubelet(binary)), processes.ensure(kubeProxy(binary))]);
  const ready = '{.status.conditions[?(@.type=="Ready")].status}';
  await kubectl.waitFor(['node', net.nodeName], ready, (value) => value === 'True', 60_000);
  return what;
}

/** DNS and policy enforcement, both awaited: a node without them would let tests pass for the wrong reason. */
async function startAddons(place: BuildPlace, kubectl: Kubectl): Promise<void> {
  const images = nodeImages(place);
  await kubectl.apply([...policyAgentObjects(images.policy.name), ...dnsObjects(images.dns.name)]);
  await waitFor(
    { what: 'the policy agent listening on its queue', deadlineMs: 60_000, everyMs: 100 },
    async () => (queueHasListener(readQueueTable()) ? true : 'no listener'),
  );
  await kubectl.waitFor(
    ['-n', 'kube-system', 'deployment/coredns'],
    '{.status.readyReplicas}',
    (value) => value === '1',
    60_000,
  );
}

/** Brings the bare node up, or repairs it. The programs must be in the cache. */
export async function startBareNode(start: Start): Promise<Cluster> {
  const { place, progress } = start;
  const binary = programPath(place, 'node');
  const kubectl = new Kubectl([binary, 'kubectl'], kubeconfigFile('admin'));
  await progress.step('certificates, network', () => prepare(place.root));
  const gvisor = (await start.gvisor) ?? { ok: false, why: 'not asked for' };
  await progress.step('control plane, containerd', () => startProcesses(binary, gvisor));
  await progress.step('images of the node', () => ensureNodeImages(place));
  await progress.step('node ready', () => startKubelet(binary, kubectl));
  await progress.step('DNS, network policy', async () => {
    await Promise.all([startAddons(place, kubectl), labelNode(kubectl, gvisor)]);
  });
  await progress.step('storage', () => ensureStorage(place, new Processes(paths.run), kubectl));
  return {
    kubectl,
    kubeconfig: writeKubeconfig(place, readFileSync(kubeconfigFile('admin'), 'utf8')),
    apiUrl: `http://${net.nodeAddress}:${net.routerNodePort}`,
    values: {
      'image.registry': LOCAL_REGISTRY,
      'image.tag': start.version,
      'router.service.type': 'NodePort',
      'router.service.nodePort': net.routerNodePort,
      ...previewValues(net.routerNodePort),
      // The walks have no internet: a pod stands for an allowed domain.
      'gateway.allowedPrivateCIDRs[0]': net.podRange,
      'gvisor.enabled': String(gvisor.ok),
    },
    load: loadIntoNode,
  };
}
