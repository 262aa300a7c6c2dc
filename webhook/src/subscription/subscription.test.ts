// SPDX-License-Identifier: Apache-2.0
import type { WebhookSubscriptionSpec } from '@agenttier/crds/generated/types';
import { PublicAddresses } from '@agenttier/machinery/http/publicAddress';
import { describe, expect, it } from 'vitest';
import type { AdmissionRequest, Operation, UserInfo, Verdict } from '../review.ts';
import { mutateSubscriptions } from './mutate.ts';
import { validateSubscriptions } from './validate.ts';

const OPERATOR = 'system:serviceaccount:agenttier:agenttier-operator';
const person = (sub: string, ...groups: string[]): UserInfo => ({
  username: `agenttier:${sub}`,
  groups: ['agenttier:users', ...groups],
});
const alice = person('alice');
const bob = person('bob');
const admin = person('root', 'agenttier:admins');
const manager: UserInfo = { username: 'jane', groups: ['system:authenticated'] };

type Spec = Partial<WebhookSubscriptionSpec>;

const object = (spec: Spec): object => ({
  metadata: { name: 'hook', namespace: 'team' },
  spec: { url: 'https://hooks.example.com/x', secretRef: { name: 'key' }, ...spec },
});

function request(operation: Operation, userInfo: UserInfo, spec?: Spec, old?: Spec): AdmissionRequest {
  return {
    uid: '1',
    kind: { group: 'agenttier.io', version: 'v1alpha1', kind: 'WebhookSubscription' },
    operation,
    namespace: 'team',
    userInfo,
    object: spec && object(spec),
    oldObject: old && object(old),
  };
}

const validate = validateSubscriptions({ operatorUsername: OPERATOR, addresses: new PublicAddresses() });
const mutate = mutateSubscriptions(OPERATOR);
const signal = new AbortController().signal;
const judge = async (asked: AdmissionRequest): Promise<string[]> =>
  (await validate(asked, signal)).violations.map(({ code, field }) => `${field} ${code}`);
const owned: Spec = { createdBy: { sub: 'alice' }, scope: 'Own' };

describe('where events may go', () => {
  it.each([
    'http://hooks.example.com/',
    'https://user:pass@hooks.example.com/',
    'https://localhost/',
    'https://db/',
    'https://router.agenttier.svc/',
    'https://api.default.svc.cluster.local/',
    'https://10.1.2.3/',
    'https://169.254.169.254/latest',
    'https://[::1]/',
    'https://[::ffff:10.0.0.1]/',
    'https://0x7f000001/',
    'https://017700000001/',
    'https://2130706433/',
    'https://127.1/',
    'no url',
  ])('not to %s', async (url) => {
    expect(await judge(request('CREATE', admin, { url }))).toEqual(['spec.url invalid_value']);
  });

  it('to any public name, port and path', async () => {
    expect(await judge(request('CREATE', alice, { url: 'https://hooks.example.com:8443/a?b=c' }))).toEqual(
      [],
    );
  });
});

describe('whose sandboxes', () => {
  it.each<[string, UserInfo, WebhookSubscriptionSpec['scope'], boolean]>([
    ['a person', alice, 'Own', true],
    ['a person', alice, 'Namespace', false],
    ['a person', alice, 'Cluster', false],
    ['who manages the namespace', manager, 'Namespace', true],
    ['who manages the namespace', manager, 'Cluster', false],
    ['an administrator', admin, 'Cluster', true],
  ])('%s: %j %s is %s', async (_who, user, scope, allowed) => {
    const spec = scope === undefined ? {} : { scope };
    const expected = allowed ? [] : ['spec.scope not_owner'];
    expect(await judge(request('CREATE', user, spec))).toEqual(expected);
    expect(
      await judge(request('UPDATE', user, { ...spec, createdBy: { sub: 'x' } }, { createdBy: { sub: 'x' } })),
    ).toEqual(user === alice ? ['metadata.name not_owner', ...expected] : expected);
  });

  it('only the owner, or who manages, edits and deletes it', async () => {
    const edited = { ...owned, eventTypes: ['sandbox.error'] } as const;
    expect(await judge(request('UPDATE', bob, edited, owned))).toEqual(['metadata.name not_owner']);
    expect(await judge(request('DELETE', bob, undefined, owned))).toEqual(['metadata.name not_owner']);
    for (const user of [alice, admin, manager]) {
      expect(await judge(request('UPDATE', user, edited, owned))).toEqual([]);
      expect(await judge(request('DELETE', user, undefined, owned))).toEqual([]);
    }
  });

  it('its owner is never another', async () => {
    const forged = { ...owned, createdBy: { sub: 'bob' } };
    expect(await judge(request('UPDATE', alice, forged, owned))).toEqual(['spec.createdBy owner_forged']);
  });
});

describe('the owner', () => {
  const patched = async (asked: AdmissionRequest): Promise<Verdict['patch']> =>
    (await mutate(asked, signal)).patch;

  it('is who asks, whatever the object says', async () => {
    const [operation] = (await patched(request('CREATE', alice, { createdBy: { sub: 'bob' } }))) ?? [];
    expect(operation).toMatchObject({ value: 'alice' });
    expect(await patched(request('CREATE', alice, { createdBy: { sub: 'alice' } }))).toEqual([]);
  });

  it('comes back when an update leaves it out', async () => {
    expect(await patched(request('UPDATE', bob, {}, owned))).toEqual([
      { op: 'add', path: '/spec/createdBy', value: { sub: 'alice' } },
    ]);
  });
});
