// SPDX-License-Identifier: Apache-2.0
import { DEFAULT_SETTINGS } from '@agenttier/crds/template/merge';
import { describe, expect, it } from 'vitest';
import { readConfig } from './config.ts';

const NEEDED = { POD_NAME: 'agenttier-operator-0', RUNTIME_IMAGE: 'example.test/runtime:1' };

describe('readConfig', () => {
  it('needs little', () => {
    expect(readConfig(NEEDED)).toEqual({
      podName: 'agenttier-operator-0',
      healthPort: 8081,
      leaseName: 'agenttier-operator',
      notify: { allowedCidrs: [], extraCa: undefined },
      logLevel: 'info',
      workers: 32,
      directProbe: true,
      settings: {
        installNamespace: 'agenttier',
        runtimeImage: 'example.test/runtime:1',
        runtimePullPolicy: 'IfNotPresent',
        imageVolume: false,
        pullSecrets: [],
        prepull: { enabled: false, images: [] },
        placement: { nodeSelector: {}, tolerations: [], priorityClass: '' },
        dns: {
          namespace: 'kube-system',
          podLabels: { 'k8s-app': 'kube-dns' },
          nodeLocal: ['169.254.20.10/32'],
        },
        clusterCidrs: [],
        egress: { enforcement: 'auto', privateCidrs: [] },
        backups: { everyMs: 0, keep: 7 },
        resolve: DEFAULT_SETTINGS,
        startDeadlineMs: 600_000,
        userNamespaces: false,
        gracePeriodMs: 300_000,
        installLogBytes: 8_192,
      },
    });
  });

  it('takes everything', () => {
    const { settings, ...rest } = readConfig({
      ...NEEDED,
      POD_NAMESPACE: 'system',
      HEALTH_PORT: '9091',
      LEASE_NAME: 'lead',
      LOG_LEVEL: 'debug',
      KUBECONFIG: '/k',
      WORKERS: '4',
      DIRECT_PROBE: 'false',
      IMAGE_PULL_POLICY: 'Never',
      IMAGE_VOLUME: 'true',
      SANDBOX_PULL_SECRETS: 'a, b',
      SANDBOX_NODE_SELECTOR: '{"pool":"sandboxes"}',
      SANDBOX_TOLERATIONS: '[{"key":"only","operator":"Exists"}]',
      PREPULL: 'true',
      PREPULL_IMAGES: 'r/a:1,r/b:1',
      SANDBOX_PRIORITY_CLASS: 'agenttier-sandbox',
      DNS_NAMESPACE: 'dns',
      DNS_POD_LABELS: '{"app":"coredns"}',
      DNS_NODE_LOCAL: '169.254.25.10/32',
      CLUSTER_CIDRS: '203.0.113.0/24, fd10::/16',
      EGRESS_ENFORCEMENT: 'cilium',
      EGRESS_PRIVATE_CIDRS: '10.9.0.0/16',
      START_DEADLINE: '0',
      GRACE_PERIOD: '1m',
      USER_NAMESPACES: 'true',
    });
    expect(rest).toMatchObject({
      healthPort: 9091,
      leaseName: 'lead',
      kubeconfig: '/k',
      workers: 4,
      directProbe: false,
    });
    expect(settings).toMatchObject({
      installNamespace: 'system',
      runtimePullPolicy: 'Never',
      imageVolume: true,
      pullSecrets: ['a', 'b'],
      prepull: { enabled: true, images: ['r/a:1', 'r/b:1'] },
      placement: {
        nodeSelector: { pool: 'sandboxes' },
        tolerations: [{ key: 'only', operator: 'Exists' }],
        priorityClass: 'agenttier-sandbox',
      },
      dns: { namespace: 'dns', podLabels: { app: 'coredns' }, nodeLocal: ['169.254.25.10/32'] },
      clusterCidrs: ['203.0.113.0/24', 'fd10::/16'],
      startDeadlineMs: 0,
    });
  });

  it('names every problem at once', () => {
    const bad = {
      HEALTH_PORT: 'x',
      WORKERS: '-1',
      DIRECT_PROBE: 'yes',
      IMAGE_PULL_POLICY: 'Sometimes',
      DNS_POD_LABELS: '{"app":1}',
      SANDBOX_TOLERATIONS: '{}',
      CLUSTER_CIDRS: '10.0.0.0/99',
      EGRESS_ENFORCEMENT: 'calico',
      START_DEADLINE: '1d',
    };
    for (const name of [...Object.keys(bad), 'POD_NAME', 'RUNTIME_IMAGE']) {
      expect(() => readConfig(bad), name).toThrow(name);
    }
  });
});
