// SPDX-License-Identifier: Apache-2.0
import type { PolicySpec } from '@agenttier/crds/generated/types';
import { describe, expect, it } from 'vitest';
import { validatePolicy, validatePolicyUpdate } from './validate.ts';

const codes = (violations: readonly { field: string; code: string }[]): string[] =>
  violations.map((v) => `${v.field} ${v.code}`);

describe('validatePolicy', () => {
  it('accepts every limit that is enforced', () => {
    const spec: PolicySpec = {
      description: 'for all',
      allowedTemplates: ['minimal-shell', 'ClusterSandboxTemplate/base'],
      approvedRegistries: ['ghcr.io/acme', 'docker.io/*/tool'],
      maxCpu: 2,
      maxMemory: '4Gi',
      maxStorage: '1e3',
      maxTimeout: '8h30m',
      maxIdleTimeout: '0',
      allowInternet: false,
      allowedStorageClasses: ['fast'],
      requiredRuntimeClass: 'gvisor',
      maxSandboxesPerUser: 3,
      maxSandboxesTotal: 30,
      maxAgentSandboxes: 4,
      maxInvokeTimeout: '10m',
      maxConcurrentInvokesPerSandbox: 2,
      allowedAgentImages: ['ghcr.io/acme/agents'],
      total: { cpu: 64, memory: '256Gi', storage: '1Ti' },
      maxExposedPorts: 3,
      delegated: ['maxCpu'],
    };
    expect(validatePolicy('ClusterGovernancePolicy', spec)).toEqual([]);
  });

  it('lists everything at once', () => {
    const spec: PolicySpec = {
      allowedAgentImages: ['ghcr.io/a@sha256:1'],
      maxInvokeTimeout: '1d',
      total: { cpu: '1e99999' },
      maxCpu: '1e99999',
      maxMemory: '-1Gi',
      maxTimeout: '1d',
      approvedRegistries: ['ghcr.io/acme', ' ', 'ghcr.io/a@sha256:1'],
      delegated: ['maxCpu'],
    };
    expect(codes(validatePolicy('GovernancePolicy', spec))).toEqual([
      'spec.maxCpu invalid_value',
      'spec.maxMemory invalid_value',
      'spec.total.cpu invalid_value',
      'spec.maxTimeout invalid_value',
      'spec.maxInvokeTimeout invalid_value',
      'spec.approvedRegistries[1] invalid_value',
      'spec.approvedRegistries[2] invalid_value',
      'spec.allowedAgentImages[0] invalid_value',
      'spec.delegated invalid_value',
    ]);
  });
});

describe('validatePolicyUpdate', () => {
  const old: PolicySpec = { maxMemory: '1e99999', maxCpu: '1' };

  it('lets what was stored before stand', () => {
    expect(validatePolicyUpdate('GovernancePolicy', { ...old, maxCpu: '2' }, old)).toEqual([]);
  });

  it('judges what is new', () => {
    const next = { ...old, maxTimeout: 'soon' };
    expect(codes(validatePolicyUpdate('GovernancePolicy', next, old))).toEqual([
      'spec.maxTimeout invalid_value',
    ]);
  });
});
