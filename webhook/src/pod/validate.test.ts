// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from 'vitest';
import { validateStatus } from '../status/validate.ts';
import type { AdmissionRequest, Verdict } from '../review.ts';
import { validatePods } from './validate.ts';

const OPERATOR = 'sa:operator';
const signal = new AbortController().signal;

const pod = (labels: Record<string, string>, spec: object = {}, metadata: object = {}): object => ({
  metadata: { name: 'p', labels, ...metadata },
  spec: { containers: [{ name: 'sandbox', image: 'a', resources: { limits: { cpu: '1' } } }], ...spec },
});
const MINE = { 'agenttier.io/sandbox': 'dev', 'agenttier.io/sandbox-uid': 'u1' };

const request = (username: string, object: unknown, oldObject: unknown): AdmissionRequest => ({
  uid: 'r',
  kind: { group: '', version: 'v1', kind: 'Pod' },
  operation: oldObject === null ? 'CREATE' : 'UPDATE',
  userInfo: { username },
  object,
  oldObject,
});

async function judge(username: string, object: unknown, oldObject: unknown = null): Promise<string[]> {
  const verdict: Verdict = await validatePods(OPERATOR)(request(username, object, oldObject), signal);
  return verdict.violations.map((v) => `${v.field} ${v.code}`);
}

describe('a pod with the label of a sandbox', () => {
  it('is made by the operator only', async () => {
    expect(await judge(OPERATOR, pod(MINE))).toEqual([]);
    expect(await judge('bob', pod(MINE))).toEqual(['metadata.labels pod_reserved']);
    expect(await judge('system:serviceaccount:kube-system:replicaset-controller', pod(MINE))).toEqual([
      'metadata.labels pod_reserved',
    ]);
  });

  it.each([
    ['takes another sandbox', pod({ ...MINE, 'agenttier.io/sandbox': 'other' }), 'metadata.labels'],
    ['takes another uid', pod({ ...MINE, 'agenttier.io/sandbox-uid': 'u2' }), 'metadata.labels'],
    ['loses its labels', pod({}), 'metadata.labels'],
    ['becomes a slot', pod({ ...MINE, 'agenttier.io/slot': 'x' }), 'metadata.labels'],
    ['gets another owner', pod(MINE, {}, { ownerReferences: [{ uid: 'x' }] }), 'metadata.labels'],
    ['runs another image', pod(MINE, { containers: [{ name: 'sandbox', image: 'evil' }] }), 'spec'],
    ['gets a debug container', pod(MINE, { ephemeralContainers: [{ name: 'debug', image: 'a' }] }), 'spec'],
    [
      'takes more than was admitted',
      pod(MINE, { containers: [{ name: 'sandbox', image: 'a', resources: { limits: { cpu: '64' } } }] }),
      'spec',
    ],
  ])('%s by nobody else', async (_what, after, field) => {
    expect(await judge('bob', after, pod(MINE))).toEqual([`${field} pod_reserved`]);
    expect(await judge(OPERATOR, after, pod(MINE))).toEqual([]);
  });

  it('may be annotated and labelled otherwise by anybody who may', async () => {
    const after = pod({ ...MINE, team: 'red' }, { tolerations: [{}] }, { annotations: { a: 'b' } });
    expect(await judge('bob', after, pod(MINE))).toEqual([]);
  });

  it('does not trust a body of any other shape', async () => {
    for (const object of [null, 7, 'pod', [], { metadata: null }]) {
      expect(await judge('bob', object)).toEqual(['metadata.labels pod_reserved']);
    }
    expect(await judge('bob', pod(MINE, { containers: [null, 7] }), pod(MINE))).toEqual([
      'spec pod_reserved',
    ]);
  });

  it("is not the operator's when there is none", async () => {
    const verdict = await validatePods('')(request('', pod(MINE), null), signal);
    expect(verdict.violations).toHaveLength(1);
  });
});

describe('status', () => {
  const handler = validateStatus({ operator: OPERATOR, router: 'sa:router', webhook: 'sa:webhook' });
  it.each([
    ['the operator', { username: OPERATOR }, 0],
    ['the router', { username: 'sa:router' }, 0],
    ['the webhook', { username: 'sa:webhook' }, 0],
    ['an administrator of the cluster', { username: 'root', groups: ['system:masters'] }, 0],
    ['a person', { username: 'agenttier:ann', groups: ['agenttier:users'] }, 1],
    ['our administrator', { username: 'agenttier:root', groups: ['agenttier:users', 'agenttier:admins'] }, 1],
    ['a user of the cluster', { username: 'ann' }, 1],
  ])('by %s', async (_who, userInfo, count) => {
    const verdict = await handler({ ...request('', {}, {}), userInfo }, signal);
    expect(verdict.violations.map((v) => v.code)).toEqual(Array(count).fill('status_reserved'));
  });
});
