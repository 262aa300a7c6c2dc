// SPDX-License-Identifier: Apache-2.0
import { join } from 'node:path';

/**
 * Where the bare node keeps its things. One machine has one node: the folder is machine-wide, so that `make down` of
 * any checkout finds what another one left, and short, because a Unix socket's path must stay below 108 bytes.
 */
export const STATE = '/var/lib/agenttier-node';
export const RUNTIME = '/run/agenttier-node';

export const paths = {
  owner: join(STATE, 'owner.json'),
  before: join(STATE, 'before.json'),
  pki: join(STATE, 'pki'),
  kubeconfigs: join(STATE, 'kubeconfig'),
  config: join(STATE, 'config'),
  run: join(STATE, 'run'),
  etcd: join(STATE, 'etcd'),
  kubelet: join(STATE, 'kubelet'),
  podLogs: join(STATE, 'pod-logs'),
  cniConfig: join(STATE, 'cni', 'net.d'),
  cniLeases: join(STATE, 'cni', 'leases'),
  volumes: join(STATE, 'volumes'),
  containerdRoot: join(STATE, 'containerd'),
  containerdState: join(RUNTIME, 'containerd'),
  containerdSocket: join(RUNTIME, 'containerd', 'containerd.sock'),
  runcRoot: join(RUNTIME, 'runc'),
  runscRoot: join(RUNTIME, 'runsc'),
} as const;

/**
 * Addresses. The node's own address sits on the pod bridge and nowhere else: certificates never change when a laptop
 * moves to another network, and neither the API server nor a NodePort is open to that network.
 */
export const net = {
  bridge: 'agenttier0',
  nodeName: 'agenttier',
  nodeAddress: '10.244.0.1',
  podRange: '10.244.0.0/20',
  podPrefix: 20,
  podFirst: '10.244.0.10',
  podLast: '10.244.15.250',
  serviceRange: '10.96.0.0/16',
  apiService: '10.96.0.1',
  dnsService: '10.96.0.10',
  apiPort: 6443,
  etcdPort: 23790,
  etcdPeerPort: 23800,
  queue: 100,
  routerNodePort: 30080,
} as const;

export const API_URL = `https://${net.nodeAddress}:${net.apiPort}`;

/** Folders with names built into the kubelet, containerd and CNI, which no option moves; `down` removes those it brought. */
export const SHARED_FOLDERS = [
  '/run/containerd',
  '/var/lib/cni',
  '/var/lib/kubelet',
  '/var/log/containers',
  '/var/log/pods',
  '/etc/cni',
  '/opt/cni',
  '/usr/libexec/kubernetes',
  '/var/lib/containerd',
] as const;
