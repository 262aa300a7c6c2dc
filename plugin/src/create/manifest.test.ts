// SPDX-License-Identifier: Apache-2.0
import type { Sandbox } from '@agenttier/crds/generated/types';
import { describe, expect, it } from 'vitest';
import { buildSandbox, type SpecFlags, templateRef } from './manifest.ts';

const base: Sandbox = {
  apiVersion: 'agenttier.io/v1alpha1',
  kind: 'Sandbox',
  metadata: { name: 'from-file', labels: { team: 'red' } },
  spec: {
    templateRef: { name: 'python' },
    resources: { limits: { cpu: '1', memory: '1Gi' }, requests: { cpu: '100m' } },
    storage: { size: '1Gi', mountPath: '/data' },
    env: [
      { name: 'A', value: '1' },
      { name: 'B', value: '2' },
    ],
    network: { allowPeerSandboxes: true },
  },
};
const specOf = (flags: SpecFlags, from?: Sandbox) => buildSandbox({ name: 'x', ...flags }, 'team', from).spec;

describe('buildSandbox', () => {
  it('makes a whole object of flags', () => {
    const flags: SpecFlags = {
      name: 'demo',
      template: 'ClusterSandboxTemplate/python',
      image: 'ghcr.io/acme/py:3.14',
      cpu: '2',
      cpuRequest: '500m',
      memory: '4Gi',
      storageSize: '20Gi',
      timeout: '8h',
      idleTimeout: '30m',
      env: ['A=1', 'URL=http://x/?a=b', 'EMPTY='],
      allowInternet: true,
      runtimeClass: 'gvisor',
    };
    expect(buildSandbox(flags, 'team')).toEqual({
      apiVersion: 'agenttier.io/v1alpha1',
      kind: 'Sandbox',
      metadata: { name: 'demo', namespace: 'team' },
      spec: {
        templateRef: { kind: 'ClusterSandboxTemplate', name: 'python' },
        image: { repository: 'ghcr.io/acme/py', tag: '3.14' },
        resources: { limits: { cpu: '2', memory: '4Gi' }, requests: { cpu: '500m' } },
        storage: { size: '20Gi' },
        timeout: '8h',
        idleTimeout: '30m',
        env: [
          { name: 'A', value: '1' },
          { name: 'URL', value: 'http://x/?a=b' },
          { name: 'EMPTY', value: '' },
        ],
        network: { allowInternet: true },
        runtimeClass: 'gvisor',
      },
    });
  });

  it('lays flags over a file and leaves the rest of it alone', () => {
    const flags = { cpu: '4', storageSize: '2Gi', env: ['B=3', 'C=4'], allowInternet: true };
    const sandbox = buildSandbox(flags, 'team', base);
    expect(sandbox.metadata).toEqual({ name: 'from-file', labels: { team: 'red' }, namespace: 'team' });
    expect(sandbox.spec).toEqual({
      ...base.spec,
      resources: { limits: { cpu: '4', memory: '1Gi' }, requests: { cpu: '100m' } },
      storage: { size: '2Gi', mountPath: '/data' },
      env: [
        { name: 'A', value: '1' },
        { name: 'B', value: '3' },
        { name: 'C', value: '4' },
      ],
      network: { allowPeerSandboxes: true, allowInternet: true },
    });
  });

  const digest = `sha256:${'a'.repeat(64)}`;
  it.each([
    ['python', { repository: 'python' }],
    ['python:3', { repository: 'python', tag: '3' }],
    ['reg.io:5000/a/b', { repository: 'reg.io:5000/a/b' }],
    ['reg.io:5000/a/b:c', { repository: 'reg.io:5000/a/b', tag: 'c' }],
    [`a/b:c@${digest}`, { repository: `a/b:c@${digest}` }],
  ])('image %s', (image, parts) => {
    expect(specOf({ template: 't', image })?.image).toEqual(parts);
  });

  it.each([
    ['no name', {}, /a name is required/],
    ['no template', { name: 'x' }, /--template is required/],
    ['a variable without =', { name: 'x', template: 't', env: ['A'] }, /--env: "A" is not NAME=VALUE/],
    ['a variable without name', { name: 'x', template: 't', env: ['=A'] }, /--env: "=A" is not NAME=VALUE/],
    ['no image', { name: 'x', template: 't', image: 'A B' }, /--image: "A B" is not an image reference/],
  ] as const)('refuses %s', (_name, flags, message) => {
    expect(() => buildSandbox(flags, 'team')).toThrow(message);
  });
});

describe('templateRef', () => {
  it.each([
    ['python', { name: 'python' }],
    ['sbt/python', { kind: 'SandboxTemplate', name: 'python' }],
    ['clustersandboxtemplate.agenttier.io/python', { kind: 'ClusterSandboxTemplate', name: 'python' }],
  ])('%s', (text, ref) => {
    expect(templateRef(text)).toEqual(ref);
  });

  it.each(['', 'a/b/c', 'pod/x', 'sbt/'])('refuses %j', (text) => {
    expect(() => templateRef(text)).toThrow(/--template/);
  });
});
