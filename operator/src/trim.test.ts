// SPDX-License-Identifier: Apache-2.0
import { LABEL_SECRET_PURPOSE, SECRET_PURPOSES } from '@agenttier/crds/meta/labels';
import { SANDBOXES } from '@agenttier/crds/meta/resources';
import { NETWORK_POLICIES, PODS, SECRETS } from '@agenttier/machinery/kube/resource';
import type { KubeObject } from '@agenttier/machinery/kube/resource';
import { describe, expect, it } from 'vitest';
import { createCaches } from './caches.ts';
import type { NetworkPolicy, Pod } from './core.ts';
import { buildNetworkPolicy, networkPolicyMatches } from './sandbox/networkPolicy.ts';
import { buildPod } from './sandbox/pod.ts';
import { SETTINGS } from './testing/fixtures.ts';
import { trimmed } from './trim.ts';

const managedFields = [{ manager: 'somebody' }];
const owner = (name: string) => ({ namespace: 'team', name, uid: `uid-${name}` });
const spec = { image: { repository: 'example.test/tools', tag: '1' }, network: { allowInternet: true } };

const policyOf = (name: string): NetworkPolicy =>
  // As from the wire: nothing in it is the same object as in another.
  JSON.parse(JSON.stringify(buildNetworkPolicy(owner(name), spec, SETTINGS))) as NetworkPolicy;

describe('trimmed', () => {
  it('takes away who owns which field, and what kubectl notes, of every kind', () => {
    const annotations = { 'kubectl.kubernetes.io/last-applied-configuration': '{}', note: 'kept' };
    const object = { metadata: { name: 'a', labels: { b: 'c' }, annotations, managedFields } };
    expect(trimmed(SANDBOXES, object)).toEqual({
      metadata: { name: 'a', labels: { b: 'c' }, annotations: { note: 'kept' } },
    });
  });

  it('keeps of a pod what says where it is, how it is, and what it was given', () => {
    const nonce = '1';
    const built = buildPod({
      owner: owner('one'),
      spec,
      pvcName: 'one-workspace',
      nonce,
      settings: SETTINGS,
    });
    const status = { phase: 'Running', podIP: '10.0.0.1', containerStatuses: [{ name: 'sandbox' }] };
    const pod: Pod = { ...built, spec: { ...built.spec, nodeName: 'n', tolerations: [{}] }, status };
    const lean = trimmed(PODS, pod);
    expect(lean.status).toBe(status);
    expect(lean.metadata).toEqual(pod.metadata);
    expect(lean.spec.nodeName).toBe('n');
    expect(lean.spec['volumes']).toBe(pod.spec['volumes']);
    expect(lean.spec.containers).toEqual(
      pod.spec.containers.map(({ name, image, resources, env }) => ({ name, image, resources, env })),
    );
    expect(JSON.stringify(lean).length).toBeLessThan(JSON.stringify(pod).length / 2);
  });

  it('leaves nothing that drift repair would see as drift', () => {
    const lean = trimmed(NETWORK_POLICIES, policyOf('one'));
    expect(networkPolicyMatches(lean, buildNetworkPolicy(owner('one'), spec, SETTINGS))).toBe(true);
  });

  it('has what objects have in common once', () => {
    const [one, two] = ['one', 'two'].map((name) => trimmed(NETWORK_POLICIES, policyOf(name)));
    expect(two?.spec.egress).toBe(one?.spec.egress);
    expect(two?.spec.podSelector).not.toEqual(one?.spec.podSelector);
    const closed = buildNetworkPolicy(owner('three'), { ...spec, network: {} }, SETTINGS);
    expect(trimmed(NETWORK_POLICIES, closed).spec.egress).toEqual(closed.spec.egress);
  });

  it('keeps the content of a Secret only where it is compared', () => {
    const secret = (purpose: string): KubeObject =>
      ({
        metadata: { name: 'a', labels: { [LABEL_SECRET_PURPOSE]: purpose } },
        data: { a: 'YQ==' },
      }) as KubeObject;
    expect(trimmed(SECRETS, secret(SECRET_PURPOSES.plan))).not.toHaveProperty('data');
    expect(trimmed(SECRETS, secret(SECRET_PURPOSES.runtimeToken))).toHaveProperty('data');
  });

  it.each([SANDBOXES, PODS, NETWORK_POLICIES])('bears a $kind without anything in it', (resource) => {
    expect(trimmed(resource, { metadata: { name: 'a' } })).toEqual({ metadata: { name: 'a' } });
  });
});

describe('the caches', () => {
  it('trim the answers to own writes too, which the watch does not bring again', () => {
    const { pods } = createCaches();
    const pod = { metadata: { namespace: 'team', name: 'a', uid: 'u', resourceVersion: '1', managedFields } };
    pods.applyLocal(pod as never);
    pods.applyWatch(pod as never);
    expect(pods.get('team', 'a')?.metadata).not.toHaveProperty('managedFields');
  });
});
