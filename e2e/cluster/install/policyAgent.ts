// SPDX-License-Identifier: Apache-2.0
import { net } from '../node/layout.ts';

const NAME = 'kube-network-policies';
const LABELS = { 'k8s-app': NAME };

/**
 * The NetworkPolicy agent: decides about the packets that the queue rules of node/network.ts hand to it. It talks to
 * the API server at the node's address, so that it works before and without kube-proxy.
 */
export function policyAgentObjects(image: string): object[] {
  const subjects = [{ kind: 'ServiceAccount', name: NAME, namespace: 'kube-system' }];
  const rules = [
    { apiGroups: [''], resources: ['pods', 'namespaces'], verbs: ['list', 'watch'] },
    { apiGroups: ['networking.k8s.io'], resources: ['networkpolicies'], verbs: ['list', 'watch'] },
  ];
  const container = {
    name: 'agent',
    image,
    imagePullPolicy: 'IfNotPresent',
    args: [
      `--nfqueue-id=${net.queue}`,
      `--hostname-override=${net.nodeName}`,
      '--metrics-bind-address=127.0.0.1:19080',
      '--netfilter-bug-1766-fix=false', // its own nft table is not what feeds the queue here
      '--v=1',
    ],
    env: [
      { name: 'KUBERNETES_SERVICE_HOST', value: net.nodeAddress },
      { name: 'KUBERNETES_SERVICE_PORT', value: String(net.apiPort) },
    ],
    securityContext: { privileged: true },
    resources: { requests: { cpu: '20m', memory: '32Mi' } },
    // A socket on the queue is what counts: the file lists one line per queue that has a listener.
    readinessProbe: { httpGet: { host: '127.0.0.1', path: '/metrics', port: 19080 }, periodSeconds: 1 },
  };
  return [
    { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name: NAME, namespace: 'kube-system' } },
    { apiVersion: 'rbac.authorization.k8s.io/v1', kind: 'ClusterRole', metadata: { name: NAME }, rules },
    {
      apiVersion: 'rbac.authorization.k8s.io/v1',
      kind: 'ClusterRoleBinding',
      metadata: { name: NAME },
      roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: NAME },
      subjects,
    },
    {
      apiVersion: 'apps/v1',
      kind: 'DaemonSet',
      metadata: { name: NAME, namespace: 'kube-system', labels: LABELS },
      spec: {
        selector: { matchLabels: LABELS },
        template: {
          metadata: { labels: LABELS },
          spec: {
            hostNetwork: true,
            serviceAccountName: NAME,
            priorityClassName: 'system-node-critical',
            tolerations: [{ operator: 'Exists' }],
            containers: [container],
          },
        },
      },
    },
  ];
}

/** Whether the kernel's list of queues has ours: /proc/net/netfilter/nfnetlink_queue, one line per listener. */
export function queueHasListener(table: string): boolean {
  return table.split('\n').some((line) => line.trim().split(/\s+/)[0] === String(net.queue));
}
