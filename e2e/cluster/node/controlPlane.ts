// SPDX-License-Identifier: Apache-2.0
import { readFileSync } from 'node:fs';
import { request } from 'node:https';
import { API_URL, net, paths } from './layout.ts';
import { kubeconfigFile, pkiFile } from './pki.ts';
import type { ProcessSpec } from './processes.ts';

/** Status of a GET with the node's authority trusted, as a readiness answer. */
function probe(url: string, client?: string): () => Promise<true | string> {
  return () =>
    new Promise((resolve) => {
      const call = request(
        url,
        {
          ca: readFileSync(pkiFile('ca', 'crt')),
          // Scheduler and controller manager serve their health with a certificate they make themselves.
          rejectUnauthorized: client !== undefined,
          ...(client === undefined
            ? {}
            : { cert: readFileSync(pkiFile(client, 'crt')), key: readFileSync(pkiFile(client, 'key')) }),
          agent: false,
          timeout: 5_000,
        },
        (answer) => {
          answer.resume();
          resolve(answer.statusCode === 200 ? true : `${url} answers ${answer.statusCode}`);
        },
      );
      call.on('timeout', () => call.destroy(new Error('no answer within 5 s')));
      call.on('error', (error) => resolve(error.message));
      call.end();
    });
}

const flags = (values: Readonly<Record<string, string | number>>): string[] =>
  Object.entries(values).map(([name, value]) => `--${name}=${value}`);

function etcd(binary: string): ProcessSpec {
  const url = `https://127.0.0.1:${net.etcdPort}`;
  const peer = `http://127.0.0.1:${net.etcdPeerPort}`;
  return {
    name: 'etcd',
    file: binary,
    argv0: 'etcd',
    args: [
      ...flags({
        name: 'agenttier',
        'data-dir': paths.etcd,
        'listen-client-urls': url,
        'advertise-client-urls': url,
        'listen-peer-urls': peer,
        'initial-advertise-peer-urls': peer,
        'initial-cluster': `agenttier=${peer}`,
        'cert-file': pkiFile('etcd', 'crt'),
        'key-file': pkiFile('etcd', 'key'),
        'trusted-ca-file': pkiFile('ca', 'crt'),
        'auto-compaction-retention': '5m',
        'quota-backend-bytes': 4 * 1024 ** 3,
        'log-level': 'warn',
      }),
      '--client-cert-auth',
      '--unsafe-no-fsync', // the node is for development and tests: speed before surviving a power cut
    ],
    ready: probe(`${url}/health`, 'etcd-client'),
  };
}

function apiServer(binary: string): ProcessSpec {
  return {
    name: 'kube-apiserver',
    file: binary,
    argv0: 'kube-apiserver',
    args: [
      ...flags({
        'bind-address': net.nodeAddress,
        'advertise-address': net.nodeAddress,
        'secure-port': net.apiPort,
        'service-cluster-ip-range': net.serviceRange,
        'etcd-servers': `https://127.0.0.1:${net.etcdPort}`,
        'etcd-cafile': pkiFile('ca', 'crt'),
        'etcd-certfile': pkiFile('etcd-client', 'crt'),
        'etcd-keyfile': pkiFile('etcd-client', 'key'),
        'client-ca-file': pkiFile('ca', 'crt'),
        'tls-cert-file': pkiFile('apiserver', 'crt'),
        'tls-private-key-file': pkiFile('apiserver', 'key'),
        'kubelet-certificate-authority': pkiFile('ca', 'crt'),
        'kubelet-client-certificate': pkiFile('apiserver-kubelet-client', 'crt'),
        'kubelet-client-key': pkiFile('apiserver-kubelet-client', 'key'),
        'kubelet-preferred-address-types': 'InternalIP',
        'service-account-issuer': 'https://kubernetes.default.svc.cluster.local',
        'service-account-key-file': pkiFile('sa', 'pub'),
        'service-account-signing-key-file': pkiFile('sa', 'key'),
        'requestheader-client-ca-file': pkiFile('front-proxy-ca', 'crt'),
        'requestheader-allowed-names': 'front-proxy-client',
        'requestheader-username-headers': 'X-Remote-User',
        'requestheader-group-headers': 'X-Remote-Group',
        'requestheader-extra-headers-prefix': 'X-Remote-Extra-',
        'proxy-client-cert-file': pkiFile('front-proxy-client', 'crt'),
        'proxy-client-key-file': pkiFile('front-proxy-client', 'key'),
        'authorization-mode': 'Node,RBAC',
        'enable-admission-plugins': 'NodeRestriction',
        'allow-privileged': 'true',
        'cert-dir': paths.pki,
        'endpoint-reconciler-type': 'lease',
        profiling: 'false',
      }),
    ],
    ready: probe(`${API_URL}/readyz`, 'admin'),
    deadlineMs: 120_000,
  };
}

function controllerManager(binary: string): ProcessSpec {
  const access = kubeconfigFile('controller-manager');
  return {
    name: 'kube-controller-manager',
    file: binary,
    argv0: 'kube-controller-manager',
    args: [
      ...flags({
        kubeconfig: access,
        'authentication-kubeconfig': access,
        'authorization-kubeconfig': access,
        'bind-address': '127.0.0.1',
        'service-account-private-key-file': pkiFile('sa', 'key'),
        'root-ca-file': pkiFile('ca', 'crt'),
        'cluster-signing-cert-file': pkiFile('ca', 'crt'),
        'cluster-signing-key-file': pkiFile('ca', 'key'),
        'use-service-account-credentials': 'true',
        'leader-elect': 'false',
        'kube-api-qps': 200,
        'kube-api-burst': 400,
        'cert-dir': paths.pki,
        'flex-volume-plugin-dir': `${paths.kubelet}/volume-plugins`,
      }),
    ],
    ready: probe('https://127.0.0.1:10257/healthz'),
  };
}

function scheduler(binary: string): ProcessSpec {
  const access = kubeconfigFile('scheduler');
  return {
    name: 'kube-scheduler',
    file: binary,
    argv0: 'kube-scheduler',
    args: flags({
      kubeconfig: access,
      'authentication-kubeconfig': access,
      'authorization-kubeconfig': access,
      'bind-address': '127.0.0.1',
      'leader-elect': 'false',
      'kube-api-qps': 200,
      'kube-api-burst': 400,
      'cert-dir': paths.pki,
    }),
    ready: probe('https://127.0.0.1:10259/healthz'),
  };
}

/** The four programs of the control plane, from the multi-call binary. */
export function controlPlane(
  binary: string,
): Record<'etcd' | 'apiServer' | 'controllerManager' | 'scheduler', ProcessSpec> {
  return {
    etcd: etcd(binary),
    apiServer: apiServer(binary),
    controllerManager: controllerManager(binary),
    scheduler: scheduler(binary),
  };
}
