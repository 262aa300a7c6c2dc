// SPDX-License-Identifier: Apache-2.0
import type { Sandbox } from '@agenttier/crds/generated/types';
import { SANDBOXES } from '@agenttier/crds/meta/resources';
import type { Impersonation } from '@agenttier/machinery/kube/client';
import type { KubeError } from '@agenttier/machinery/kube/errors';
import { PODS } from '@agenttier/machinery/kube/resource';
import type { KubeObject } from '@agenttier/machinery/kube/resource';
import { until } from '@agenttier/machinery/testing/until';
import { beforeAll, describe, expect, it } from 'vitest';
import { alice, bob, causes, refusal, useScene } from './envtest/scene.ts';
import { grant } from './envtest/registration.ts';

const scene = useScene();
const TENANTS = 'access-tenants';

/** A user of the cluster with rights on pods, as a tenant of the namespace has them. */
const tenant: Impersonation = { user: 'tina', groups: ['system:authenticated', TENANTS] };
const guest: Impersonation = { user: 'gus', groups: ['system:authenticated', TENANTS, 'helpers'] };

const pod = (name: string, labels: Record<string, string> = {}): KubeObject =>
  ({
    metadata: { name, namespace: scene.team, labels },
    spec: {
      containers: [{ name: 'sandbox', image: 'ghcr.io/acme/base' }],
      automountServiceAccountToken: false,
    },
  }) as KubeObject;

const labelsOf = (sandbox: KubeObject): Record<string, string> => ({
  'agenttier.io/sandbox': sandbox.metadata.name ?? '',
  'agenttier.io/sandbox-uid': sandbox.metadata.uid ?? '',
});

/** A sandbox of the tenant with its pod, as the operator makes it. */
async function withPod(name: string, spec: object = {}): Promise<void> {
  const sandbox = await scene.create('Sandbox', name, scene.spec(spec), { impersonate: tenant });
  await scene.client.create(PODS, scene.team, pod(`${name}-pod`, labelsOf(sandbox)), {
    impersonate: scene.operator(),
  });
}

function enter(name: string, how: string, impersonate: Impersonation): Promise<KubeError> {
  const path = `/api/v1/namespaces/${scene.team}/pods/${name}/${how}`;
  return refusal(scene.client.raw({ method: 'POST', path }, { impersonate }));
}

beforeAll(async () => {
  const rules = [
    { apiGroups: ['agenttier.io'], resources: ['*'], verbs: ['*'] },
    {
      apiGroups: [''],
      resources: [
        'pods',
        'pods/exec',
        'pods/attach',
        'pods/portforward',
        'pods/proxy',
        'pods/ephemeralcontainers',
      ],
      verbs: ['*'],
    },
  ];
  const operator = { kind: 'User', name: scene.operator().user };
  await grant(scene.client, `${scene.install}-operator-pods`, rules, operator);
  await grant(scene.client, `${scene.install}-tenants`, rules, {
    kind: 'Group',
    name: TENANTS,
  });
});

describe('entering a pod by the API server', () => {
  const ways = ['exec?command=sh&container=sandbox', 'attach?container=sandbox', 'portforward', 'proxy/'];

  it.each(ways)('%s', async (how) => {
    const name = `way-${how.slice(0, 4)}`;
    const sharing = {
      users: [{ identity: 'vic', level: 'viewer' }],
      groups: [{ identity: 'helpers', level: 'collaborator' }],
    };
    await withPod(name, { sharing });
    const stranger: Impersonation = { user: 'mallory', groups: ['system:authenticated', TENANTS] };
    for (const who of [stranger, { ...stranger, user: 'vic' }]) {
      const error = await enter(`${name}-pod`, how, who);
      expect(error.status).toBe(403);
      expect(causes(error)).toEqual([`pods/${how.split(/[?/]/)[0]} not_owner`]);
    }
    // Let in, they meet a pod that no node runs.
    for (const who of [tenant, guest]) {
      const error = await enter(`${name}-pod`, how, who);
      expect(error.message).not.toContain('not_owner');
      expect(error.status).not.toBe(403);
    }
  });

  it('is written down as use, when it is allowed', async () => {
    await withPod('entered');
    const key = { namespace: scene.team, name: 'entered' };
    const used = async () =>
      (await scene.client.get<Sandbox & KubeObject>(SANDBOXES, key)).status?.lastActivityTimestamp;
    await enter('entered-pod', 'portforward', { user: 'mallory', groups: ['system:authenticated', TENANTS] });
    await enter('entered-pod', 'exec?command=sh&container=sandbox&dryRun=All', tenant);
    expect(await used()).toBeUndefined();
    await enter('entered-pod', 'exec?command=sh&container=sandbox', tenant);
    await until(async () => (await used()) !== undefined, 'the use to be written down');
  });

  it('is seen behind a port of the proxy path', async () => {
    await withPod('ported');
    const stranger: Impersonation = { user: 'mallory', groups: ['system:authenticated', TENANTS] };
    for (const name of ['ported-pod:9000', 'http:ported-pod:9000']) {
      expect(causes(await enter(name, 'proxy/exec', stranger))).toEqual(['pods/proxy not_owner']);
    }
  });

  it("is nobody's business where the pod is none of ours", async () => {
    await scene.client.create(PODS, scene.team, pod('plain'), { impersonate: tenant });
    const error = await enter('plain', 'exec?command=sh&container=sandbox', guest);
    expect(error.message).not.toContain('not_owner');
  });
});

describe('sharing', () => {
  it('is for the owner to change, and opens nothing else', async () => {
    await scene.create('Sandbox', 'shared', scene.spec(), { impersonate: alice });
    const sharing = { users: [{ identity: 'bob', level: 'collaborator' }] };
    const other = await refusal(scene.change('shared', { sharing }, { impersonate: bob }));
    expect(causes(other)).toEqual(['spec.sharing not_owner']);
    const outsider = await refusal(scene.change('shared', { sharing }, { impersonate: tenant }));
    expect(causes(outsider)).toEqual(['spec.sharing not_owner']);
    await scene.change('shared', { sharing }, { impersonate: alice });
    const stop = await refusal(scene.change('shared', { desiredState: 'Stopped' }, { impersonate: bob }));
    expect(causes(stop)).toEqual(['spec.desiredState not_owner']);
    const gone = await refusal(
      scene.client.delete(SANDBOXES, { namespace: scene.team, name: 'shared' }, { impersonate: bob }),
    );
    expect(causes(gone)).toEqual(['metadata.name not_owner']);
  });

  it('by a link opens to whoever the router says has it, for himself, as much as the link says, counted', async () => {
    const link = { id: 'a', tokenHash: 'b'.repeat(64), level: 'viewer', maxUses: 1 };
    const spec = scene.spec({ sharing: { shareLinks: [link] } });
    await scene.create('Sandbox', 'linked', spec, { impersonate: alice });
    const used = [{ ...link, usedCount: 1 }];
    const change = (users: object[], shareLinks: object[], who = bob) =>
      scene.change('linked', { sharing: { users, shareLinks } }, { impersonate: who });
    const bobs = { identity: 'bob', level: 'viewer', link: 'a' };
    for (const [users, links, who] of [
      [[{ ...bobs, level: 'collaborator' }], used, bob],
      [[{ ...bobs, identity: 'eve' }], used, bob],
      [[bobs], [link], bob],
      [[bobs], used, tenant],
    ] as const) {
      expect(causes(await refusal(change([...users], [...links], who)))).toEqual(['spec.sharing not_owner']);
    }
    await change([bobs], used);
    const carol = { user: 'agenttier:carol', groups: ['agenttier:users'] };
    const late = change([bobs, { ...bobs, identity: 'carol' }], [{ ...link, usedCount: 2 }], carol);
    expect(causes(await refusal(late))).toEqual(['spec.sharing not_owner']);
  });

  it('by a link without the hash of its secret is no link', async () => {
    const shareLinks = [{ id: 'a', token: 'in the open', level: 'viewer' }];
    const error = await refusal(scene.create('Sandbox', 'bare', scene.spec({ sharing: { shareLinks } })));
    expect(causes(error)).toContain('spec.sharing.shareLinks[0].tokenHash FieldValueRequired');
  });
});

describe('pods with our labels', () => {
  it("are the operator's to make and to change", async () => {
    await withPod('kept');
    const key = { namespace: scene.team, name: 'kept-pod' };
    const change = (body: object, subresource?: string): Promise<unknown> =>
      scene.client.patch(
        PODS,
        key,
        { type: 'strategic', body },
        { impersonate: tenant, ...(subresource ? { subresource } : {}) },
      );
    const taken = await refusal(change({ metadata: { labels: { 'agenttier.io/sandbox': null } } }));
    expect(causes(taken)).toEqual(['metadata.labels pod_reserved']);
    const image = await refusal(change({ spec: { containers: [{ name: 'sandbox', image: 'evil' }] } }));
    expect(causes(image)).toEqual(['spec pod_reserved']);
    const debug = { spec: { ephemeralContainers: [{ name: 'debug', image: 'evil' }] } };
    expect(causes(await refusal(change(debug, 'ephemeralcontainers')))).toEqual(['spec pod_reserved']);
    await change({ metadata: { annotations: { note: 'mine' } } });
    await scene.client.delete(PODS, key, { impersonate: tenant, gracePeriodSeconds: 0 });
  });

  it('cannot be claimed by a tenant, not for a slot and not later', async () => {
    const made = await refusal(
      scene.client.create(PODS, scene.team, pod('fake', { 'agenttier.io/sandbox': 'kept' }), {
        impersonate: tenant,
      }),
    );
    expect(causes(made)).toEqual(['metadata.labels pod_reserved']);
    const slot = await refusal(
      scene.client.create(PODS, scene.team, pod('fake', { 'agenttier.io/slot': 'pool' }), {
        impersonate: tenant,
      }),
    );
    expect(causes(slot)).toEqual(['metadata.labels pod_reserved']);
    await scene.client.create(PODS, scene.team, pod('free'), { impersonate: tenant });
    const later = scene.client.patch(
      PODS,
      { namespace: scene.team, name: 'free' },
      { type: 'merge', body: { metadata: { labels: { 'agenttier.io/sandbox': 'kept' } } } },
      { impersonate: tenant },
    );
    expect(causes(await refusal(later))).toEqual(['metadata.labels pod_reserved']);
  });
});
