// SPDX-License-Identifier: Apache-2.0
import { readDefaults } from '@agenttier/crds/template/defaults';
import { resolve } from '@agenttier/crds/template/merge';
import { describe, expect, it } from 'vitest';
import { sidecars } from './sideContainers.ts';

const IMAGE = `registry.example.com/mem0@sha256:${'b'.repeat(64)}`;

describe('the memory of an agent in its pod', () => {
  it('is a hardened container with the volume of the sandbox', () => {
    const { resolved } = resolve({ mode: 'agent' }, [], readDefaults({ MEMORY_IMAGE: IMAGE }));
    const [memory, ...others] = sidecars(resolved.spec ?? {});
    expect(others).toEqual([]);
    expect(memory).toMatchObject({
      name: 'mem0',
      image: IMAGE,
      securityContext: {
        runAsNonRoot: true,
        readOnlyRootFilesystem: true,
        allowPrivilegeEscalation: false,
        capabilities: { drop: ['ALL'] },
      },
      resources: { requests: { cpu: '100m', memory: '128Mi' }, limits: { cpu: '500m', memory: '512Mi' } },
      volumeMounts: [
        { name: 'workspace', mountPath: '/workspace' },
        { name: 'tmp', mountPath: '/tmp' },
      ],
    });
  });
});
