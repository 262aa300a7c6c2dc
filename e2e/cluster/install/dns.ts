// SPDX-License-Identifier: Apache-2.0
import { net } from '../node/layout.ts';

const LABELS = { 'k8s-app': 'kube-dns' }; // the label by which NetworkPolicies everywhere find DNS
const HARDENED = {
  allowPrivilegeEscalation: false,
  readOnlyRootFilesystem: true,
  capabilities: { drop: ['ALL'] },
};

/** Names of the cluster answered from the API server, all others by the machine's own servers. */
const COREFILE = `.:53 {
    errors
    health :8080
    ready :8181
    kubernetes cluster.local in-addr.arpa ip6.arpa {
        pods insecure
        fallthrough in-addr.arpa ip6.arpa
        ttl 5
    }
    forward . /etc/resolv.conf
    cache 5
    loadbalance
    reload
}
`;

function rbac(): object[] {
  const roleRef = { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'system:coredns' };
  const watched = [
    { apiGroups: [''], resources: ['services', 'pods', 'namespaces'], verbs: ['list', 'watch'] },
    { apiGroups: ['discovery.k8s.io'], resources: ['endpointslices'], verbs: ['list', 'watch'] },
  ];
  return [
    { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name: 'coredns', namespace: 'kube-system' } },
    {
      apiVersion: 'rbac.authorization.k8s.io/v1',
      kind: 'ClusterRole',
      metadata: { name: 'system:coredns' },
      rules: watched,
    },
    {
      apiVersion: 'rbac.authorization.k8s.io/v1',
      kind: 'ClusterRoleBinding',
      metadata: { name: 'system:coredns' },
      roleRef,
      subjects: [{ kind: 'ServiceAccount', name: 'coredns', namespace: 'kube-system' }],
    },
  ];
}

const probe = (path: string, port: number): object => ({
  httpGet: { path, port },
  periodSeconds: 2,
  timeoutSeconds: 2,
});

const port = (name: string, protocol: string): object => ({ name, port: 53, protocol });

function deployment(image: string): object {
  const container = {
    name: 'coredns',
    image,
    imagePullPolicy: 'IfNotPresent',
    args: ['-conf', '/etc/coredns/Corefile'],
    ports: [
      { name: 'dns', containerPort: 53, protocol: 'UDP' },
      { name: 'dns-tcp', containerPort: 53, protocol: 'TCP' },
    ],
    resources: { requests: { cpu: '20m', memory: '32Mi' }, limits: { memory: '170Mi' } },
    securityContext: HARDENED,
    startupProbe: { httpGet: { path: '/ready', port: 8181 }, periodSeconds: 1, failureThreshold: 120 },
    readinessProbe: probe('/ready', 8181),
    livenessProbe: { ...probe('/health', 8080), failureThreshold: 5 },
    volumeMounts: [{ name: 'config', mountPath: '/etc/coredns', readOnly: true }],
  };
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name: 'coredns', namespace: 'kube-system', labels: LABELS },
    spec: {
      replicas: 1,
      selector: { matchLabels: LABELS },
      template: {
        metadata: { labels: LABELS },
        spec: {
          serviceAccountName: 'coredns',
          priorityClassName: 'system-cluster-critical',
          dnsPolicy: 'Default',
          tolerations: [{ operator: 'Exists' }],
          securityContext: {
            runAsNonRoot: true,
            runAsUser: 65532,
            runAsGroup: 65532,
            // The pod itself listens on 53: a NetworkPolicy names the port of the pod, not of the Service.
            sysctls: [{ name: 'net.ipv4.ip_unprivileged_port_start', value: '53' }],
            seccompProfile: { type: 'RuntimeDefault' },
          },
          containers: [container],
          volumes: [{ name: 'config', configMap: { name: 'coredns' } }],
        },
      },
    },
  };
}

/** The cluster's DNS: a real pod in kube-system behind the address that the kubelet gives to all pods. */
export function dnsObjects(image: string): object[] {
  return [
    ...rbac(),
    {
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: { name: 'coredns', namespace: 'kube-system' },
      data: { Corefile: COREFILE },
    },
    {
      apiVersion: 'v1',
      kind: 'Service',
      metadata: { name: 'kube-dns', namespace: 'kube-system', labels: LABELS },
      spec: {
        clusterIP: net.dnsService,
        selector: LABELS,
        ports: [port('dns', 'UDP'), port('dns-tcp', 'TCP')],
      },
    },
    deployment(image),
  ];
}
