// SPDX-License-Identifier: Apache-2.0
import type { EffectiveSpec } from '@agenttier/crds/generated/types';
import { resolve } from '@agenttier/crds/template/merge';
import { describe, expect, it } from 'vitest';
import { buildNetworkPolicy } from '../sandbox/networkPolicy.ts';
import { buildPod } from '../sandbox/pod.ts';
import { SETTINGS, TEMPLATE } from '../testing/fixtures.ts';
import { buildSlot, fitOf } from './slot.ts';

const SPEC = resolve({}, [TEMPLATE]).resolved.spec as EffectiveSpec;
const OWNER = { namespace: 'team', name: 'one', uid: 'uid-one' };

function slotFor(spec: EffectiveSpec) {
  const fit = fitOf(spec, SETTINGS);
  const ids = { namespace: 'team', pool: 'pool', name: 'slot-a' };
  return buildSlot({ ...ids, spec, template: 'base', nonce: '5', fit, settings: SETTINGS });
}

describe('a slot', () => {
  it('is the pod of a sandbox in everything but its names, and waits', () => {
    const cold = buildPod({ owner: OWNER, spec: SPEC, pvcName: 'v', nonce: '5', settings: SETTINGS });
    const text = (value: unknown, name: string): string =>
      JSON.stringify(value)
        .replaceAll(name, 'NAME')
        .replace('"--await-adopt"', '"-"')
        .replace(/"serviceAccountName":"[^"]*"/, '')
        .replace(/"claimName":"[^"]*"/, '');
    const waiting = text(slotFor(SPEC).pod.spec, 'slot-a').replace(',"-"', '');
    expect(waiting).toBe(text(cold.spec, 'one'));
  });

  it('belongs to nobody, so that no garbage collector takes it from under a sandbox', () => {
    for (const part of Object.values(slotFor(SPEC))) {
      expect(part.metadata.ownerReferences).toBeUndefined();
      expect(part.metadata.labels).not.toHaveProperty('agenttier.io/sandbox');
      expect(part.metadata.labels).not.toHaveProperty('agenttier.io/sandbox-uid');
      expect(part.metadata.labels).toMatchObject({
        'agenttier.io/slot': 'pool',
        'agenttier.io/slot-name': 'slot-a',
      });
    }
  });

  it('lets in router and operator alone, whatever its template opens', () => {
    const network = {
      allowPeerSandboxes: true,
      allowInternet: true,
      ingressRules: [{ cidr: '10.0.0.0/8' }],
    };
    const { networkPolicy } = slotFor({ ...SPEC, network });
    const closed = buildNetworkPolicy(OWNER, { ...SPEC, network: { allowInternet: true } }, SETTINGS);
    expect(networkPolicy.spec.ingress).toEqual(closed.spec.ingress);
    expect(networkPolicy.spec.egress).toEqual(closed.spec.egress);
    expect(networkPolicy.spec.podSelector).toEqual({ matchLabels: { 'agenttier.io/slot-name': 'slot-a' } });
  });

  it('holds no plain variable of the template, and those from Secrets', () => {
    const secret = { name: 'S', valueFrom: { secretKeyRef: { name: 's', key: 'k' } } };
    const { pod } = slotFor({ ...SPEC, env: [{ name: 'A', value: '1' }, secret] });
    expect(pod.spec.containers[0]?.env).toEqual([{ name: 'HOME', value: '/workspace' }, secret]);
  });

  it('has a token of its own', () => {
    const other = buildSlot({
      namespace: 'team',
      pool: 'pool',
      name: 'slot-b',
      spec: SPEC,
      nonce: '5',
      fit: fitOf(SPEC, SETTINGS),
      settings: SETTINGS,
    });
    expect(slotFor(SPEC).tokenSecret.data).not.toEqual(other.tokenSecret.data);
  });
});

describe('what must fit', () => {
  it('does not depend on plain variables or times', () => {
    const later = { ...SPEC, env: [{ name: 'A', value: '1' }], timeout: '1h', idleTimeout: '1m' };
    expect(fitOf(later, SETTINGS)).toEqual(fitOf(SPEC, SETTINGS));
  });

  it('knows what the installation puts into pods', () => {
    const newer = { ...SETTINGS, runtimeImage: 'example.test/agenttier/runtime:2' };
    expect(fitOf(SPEC, newer).compat).toBe(fitOf(SPEC, SETTINGS).compat);
    expect(fitOf(SPEC, newer).shape).not.toBe(fitOf(SPEC, SETTINGS).shape);
  });
});
