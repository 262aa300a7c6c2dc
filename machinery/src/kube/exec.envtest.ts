// SPDX-License-Identifier: Apache-2.0
import { adminAccess, adminClient, freshNamespace } from '@agenttier/e2e/envtest/server';
import { describe, expect, it } from 'vitest';
import { execInPod } from './exec.ts';
import { PODS } from './resource.ts';

describe('exec against a real API server', () => {
  it('turns refusals of the handshake into KubeErrors', async () => {
    const access = await adminAccess();
    const client = await adminClient();
    const namespace = await freshNamespace('exec');
    const options = { namespace, pod: 'a', command: ['true'] };
    await expect(execInPod(access, options)).rejects.toMatchObject({ status: 404, reason: 'NotFound' });

    const pod = { metadata: { name: 'a', namespace }, spec: { containers: [{ name: 'c', image: 'none' }] } };
    await client.create(PODS, namespace, pod);
    const unscheduled = { status: 400, reason: 'BadRequest', message: 'pod a does not have a host assigned' };
    await expect(execInPod(access, options)).rejects.toMatchObject(unscheduled);

    const impersonate = { user: 'agenttier:a', groups: ['agenttier:users', 'system:authenticated'] };
    const refused = execInPod(access, { ...options, impersonate });
    await expect(refused).rejects.toMatchObject({ status: 403, reason: 'Forbidden' });
    await expect(refused).rejects.toThrow('User "agenttier:a" cannot get resource "pods/exec"');
  });
});
