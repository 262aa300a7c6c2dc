// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from 'vitest';
import { SPEC_FIELDS } from '../generated/schemas.ts';
import { FIELD_SUPPORT, type SpecKind } from './support.ts';
import { unsupportedFields } from './unsupported.ts';

const fields = (kind: SpecKind, spec: object): string[] =>
  unsupportedFields(kind, spec).map(({ field }) => field);

/** Whether a table entry is about the field: the same, or above it. */
const covers = (path: string, field: string): boolean =>
  path === '' || field === path || ['.', '[', '{'].some((next) => field.startsWith(path + next));

const KINDS = Object.keys(SPEC_FIELDS) as SpecKind[];

describe.each(KINDS)('every field of %s', (kind) => {
  const known: readonly string[] = SPEC_FIELDS[kind];
  const { supported, unsupported } = FIELD_SUPPORT[kind];

  it('is acted on by a reader that is named, or refused with what it needs', () => {
    const dead = known.filter((field) => {
      const reader = supported.find(({ path }) => covers(path, field))?.reader;
      const needs = unsupported.find(({ path }) => covers(path, field))?.needs;
      return (reader ?? needs ?? '') === '';
    });
    expect(dead, 'accepted and dead: add them to template/support.ts').toEqual([]);
  });

  it('and no other is in the tables', () => {
    const paths = [...supported, ...unsupported].map(({ path }) => path);
    expect(paths.filter((path) => !known.some((field) => covers(path, field)))).toEqual([]);
  });
});

describe('unsupportedFields', () => {
  it('passes a sandbox that uses all that is there', () => {
    const spec = {
      mode: 'code',
      templateRef: { name: 'x' },
      image: { repository: 'x', tag: '1', pullPolicy: 'Always', pullSecret: 's' },
      resources: { requests: { cpu: 1 }, limits: { cpu: 1 } },
      storage: { size: '1Gi', storageClass: 'x', mountPath: '/x' },
      network: {
        allowInternet: true,
        egressRules: [{ cidr: '10.0.0.0/8', ports: [{ port: 1 }] }],
        ingressRules: [{ cidr: '10.0.0.0/8' }],
        allowPeerSandboxes: true,
        peerSandboxSelector: {},
      },
      env: [{ name: 'A', value: 'b' }],
      timeout: '1h',
      idleTimeout: '1h',
      runtimeClass: 'x',
      desiredState: 'Running',
      createdBy: { sub: 'a' },
      resolved: { hash: 'x', spec: { sidecars: [{}] } },
    };
    expect(fields('Sandbox', spec)).toEqual([]);
  });

  it('names each field that nothing acts on, all at once', () => {
    const spec = {
      mode: 'agent' as const,
      storage: { shared: true, snapshotOnStop: true, existingClaim: 'x' },
      network: {
        egressRules: [{ cidr: '10.0.0.0/8' }, { serviceRef: { name: 'x' } }],
      },
      env: [{ name: 'A' }, { name: 'B', valueFrom: { fieldRef: {}, secretKeyRef: { name: 'x', key: 'y' } } }],
      serviceAccount: 'x',
      sidecars: [{ name: 'x' }],
      harness: { shell: '/bin/sh', constraints: { restrictedCommands: ['rm'] } },
      warmPool: 'Require',
    };
    expect(fields('Sandbox', spec).toSorted()).toEqual([
      'spec.harness.constraints.restrictedCommands',
      'spec.storage.existingClaim',
    ]);
  });

  it('lets pass what asks for nothing', () => {
    const spec = {
      mode: 'code',
      storage: { shared: false, snapshotOnStop: false, existingClaim: '' },
      network: { allowedDomains: [] },
      security: { privileged: false },
      sidecars: [],
      credentials: [],
      sharing: { users: [], groups: [] },
      harness: {},
      serviceAccount: '',
      autoResume: true,
      warmPool: 'Auto',
      templateUpdatePolicy: 'OnResume',
      gracePeriod: '1m',
    };
    expect(fields('Sandbox', spec)).toEqual([]);
    expect(
      fields('ClusterGovernancePolicy', { maxSandboxesPerUser: 0, total: {}, requireDigest: false }),
    ).toEqual([]);
  });

  it('knows what a template may have that a sandbox may not', () => {
    const harness = { shell: '/bin/sh', command: ['x'], args: ['y'], workingDir: '/x' };
    expect(
      fields('ClusterSandboxTemplate', { harness, description: 'x', inheritsFrom: { name: 'x' } }),
    ).toEqual([]);
    expect(
      fields('SandboxTemplate', { harness: { ...harness, systemPrompt: { path: '/x' } }, hidden: true }),
    ).toEqual(['spec.harness.systemPrompt.path', 'spec.hidden']);
  });

  it('knows that a prepared pod has its volume from birth', () => {
    const spec = { templateRef: { name: 'x' }, replicas: 1, autoscale: { min: 1 }, maxAge: '1h' };
    expect(fields('SandboxWarmPool', { ...spec, volume: { mode: 'PreBound', size: '1Gi' } })).toEqual([]);
    expect(fields('SandboxWarmPool', { ...spec, volume: { mode: 'None' } })).toEqual(['spec.volume.mode']);
  });

  it('says what is the matter and what to do', () => {
    expect(unsupportedFields('Sandbox', { storage: { existingClaim: 'x' } })).toEqual([
      {
        code: 'field_not_supported',
        field: 'spec.storage.existingClaim',
        message:
          'spec.storage.existingClaim is not acted on yet: every sandbox gets a volume of its own. Leave it out',
      },
    ]);
  });
});
