// SPDX-License-Identifier: Apache-2.0
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { net, paths } from './layout.ts';
import { kubeconfigFile, pkiFile } from './pki.ts';
import type { ProcessSpec } from './processes.ts';

/** systemd-resolved's stub on 127.0.0.53 is not there inside a pod; its real list of servers is. */
const RESOLVED = '/run/systemd/resolve/resolv.conf';

async function answers(url: string): Promise<true | string> {
  const answer = await fetch(url, { signal: AbortSignal.timeout(3_000) });
  await answer.body?.cancel();
  return answer.ok ? true : `${url} answers ${answer.status}`;
}

/** KubeletConfiguration as the API has it; all folders are ours. */
export function kubeletConfig(): Record<string, unknown> {
  return {
    apiVersion: 'kubelet.config.k8s.io/v1beta1',
    kind: 'KubeletConfiguration',
    address: net.nodeAddress,
    authentication: {
      anonymous: { enabled: false },
      webhook: { enabled: true },
      x509: { clientCAFile: pkiFile('ca', 'crt') },
    },
    authorization: { mode: 'Webhook' },
    tlsCertFile: pkiFile('kubelet', 'crt'),
    tlsPrivateKeyFile: pkiFile('kubelet', 'key'),
    containerRuntimeEndpoint: `unix://${paths.containerdSocket}`,
    clusterDNS: [net.dnsService],
    clusterDomain: 'cluster.local',
    resolvConf: existsSync(RESOLVED) ? RESOLVED : '/etc/resolv.conf',
    cgroupDriver: 'cgroupfs',
    failCgroupV1: false,
    failSwapOn: false,
    oomScoreAdj: 0, // a lower value needs CAP_SYS_RESOURCE
    makeIPTablesUtilChains: false, // only the iptables mode of kube-proxy needs them
    serializeImagePulls: false,
    kubeAPIQPS: 200,
    kubeAPIBurst: 400,
    eventRecordQPS: 100,
    eventBurst: 200,
    maxPods: 250,
    // EventedPLEG stays off: with containerd 1.7 a pod was seen Running after 3.5 s with it, after 0.5 s without.
    podLogsDir: paths.podLogs,
    volumePluginDir: join(paths.kubelet, 'volume-plugins'),
    healthzBindAddress: '127.0.0.1',
    healthzPort: 10248,
    // Images here come from archives: one that is collected could not be pulled again.
    imageGCHighThresholdPercent: 100,
    evictionHard: { 'memory.available': '100Mi', 'nodefs.available': '1%', 'imagefs.available': '1%' },
  };
}

export function kubelet(binary: string): ProcessSpec {
  mkdirSync(paths.kubelet, { recursive: true });
  const config = JSON.stringify(kubeletConfig(), undefined, 2);
  const file = join(paths.config, 'kubelet.json');
  writeFileSync(file, config);
  return {
    name: 'kubelet',
    file: binary,
    argv0: 'kubelet',
    args: [
      `--config=${file}`,
      `--kubeconfig=${kubeconfigFile('kubelet')}`,
      `--hostname-override=${net.nodeName}`,
      `--node-ip=${net.nodeAddress}`,
      `--root-dir=${paths.kubelet}`,
      `--cert-dir=${join(paths.kubelet, 'pki')}`,
    ],
    inputs: [config],
    ready: () => answers('http://127.0.0.1:10248/healthz'),
  };
}

/** KubeProxyConfiguration. The zeros leave the machine's connection-tracking limits alone. */
export function kubeProxyConfig(): Record<string, unknown> {
  return {
    apiVersion: 'kubeproxy.config.k8s.io/v1alpha1',
    kind: 'KubeProxyConfiguration',
    mode: 'nftables',
    clientConnection: { kubeconfig: kubeconfigFile('proxy'), qps: 50, burst: 100 },
    bindAddress: net.nodeAddress,
    hostnameOverride: net.nodeName,
    clusterCIDR: net.podRange,
    healthzBindAddress: '127.0.0.1:10256',
    metricsBindAddress: '127.0.0.1:10249',
    oomScoreAdj: 0,
    nftables: { minSyncPeriod: '100ms', syncPeriod: '30s' },
    nodePortAddresses: [`${net.nodeAddress}/32`],
    conntrack: { maxPerCore: 0, min: 0, tcpEstablishedTimeout: '0s', tcpCloseWaitTimeout: '0s' },
  };
}

export function kubeProxy(binary: string): ProcessSpec {
  const config = JSON.stringify(kubeProxyConfig(), undefined, 2);
  const file = join(paths.config, 'kube-proxy.json');
  writeFileSync(file, config);
  return {
    name: 'kube-proxy',
    file: binary,
    argv0: 'kube-proxy',
    args: [`--config=${file}`],
    inputs: [config],
    ready: () => answers('http://127.0.0.1:10256/healthz'),
  };
}
