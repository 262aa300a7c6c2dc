// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from 'vitest';
import { readConfig } from './config.ts';

const env = { POD_NAME: 'agenttier-webhook-0' };

describe('readConfig', () => {
  it('needs nothing but the name of the pod', () => {
    expect(readConfig(env)).toEqual({
      namespace: 'agenttier',
      podName: 'agenttier-webhook-0',
      webhookPort: 9443,
      healthPort: 8081,
      service: 'agenttier-webhook',
      configuration: 'agenttier',
      certSecret: 'agenttier-webhook-tls',
      operatorUsername: 'system:serviceaccount:agenttier:agenttier-operator',
      routerUsername: 'system:serviceaccount:agenttier:agenttier-router',
      webhookUsername: 'system:serviceaccount:agenttier:agenttier-webhook',
      connectMode: 'Ignore',
      enforcement: 'auto',
      notifyAllowedCidrs: [],
      logLevel: 'info',
      settings: expect.objectContaining({ defaults: expect.anything() }),
    });
  });

  it('takes the defaults of sandboxes from the chart', () => {
    const { settings } = readConfig({
      ...env,
      DEFAULT_CPU_REQUEST: '10m',
      DEFAULT_CPU_LIMIT: '3',
      DEFAULT_MEMORY_REQUEST: '32Mi',
      DEFAULT_MEMORY_LIMIT: '64Mi',
      DEFAULT_STORAGE_SIZE: '2Gi',
    });
    expect(settings.defaults).toMatchObject({
      resources: { requests: { cpu: '10m', memory: '32Mi' }, limits: { cpu: '3', memory: '64Mi' } },
      storage: { size: '2Gi', mountPath: '/workspace' },
    });
  });

  it.each([
    ['base', { name: 'base' }],
    ['ClusterSandboxTemplate/base', { kind: 'ClusterSandboxTemplate', name: 'base' }],
    ['', undefined],
  ])('default template %j', (text, expected) => {
    expect(readConfig({ ...env, DEFAULT_TEMPLATE: text }).defaultTemplate).toEqual(expected);
  });

  it.each([
    ['POD_NAME', ''],
    ['WEBHOOK_PORT', 'https'],
    ['HEALTH_PORT', '70000'],
    ['DEFAULT_CPU_LIMIT', 'plenty'],
    ['DEFAULT_TEMPLATE', 'Template/x'],
    ['DEFAULT_TEMPLATE', 'SandboxTemplate/'],
  ])('names %s when it is %j', (name, value) => {
    expect(() => readConfig({ ...env, [name]: value })).toThrow(name);
  });
});
