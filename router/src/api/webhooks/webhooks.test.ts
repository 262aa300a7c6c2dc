// SPDX-License-Identifier: Apache-2.0
import type { WebhookSubscription } from '@agenttier/crds/generated/types';
import { WEBHOOK_SUBSCRIPTIONS } from '@agenttier/crds/meta/resources';
import { errorFromResponse } from '@agenttier/machinery/kube/errors';
import { SECRETS } from '@agenttier/machinery/kube/resource';
import type { KubeObject } from '@agenttier/machinery/kube/resource';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Secret } from '../../cluster/shapes.ts';
import { ADMIN_KEY, ANN_KEY, BOB_KEY, Harness } from '../../testing/harness.ts';

type Subscription = WebhookSubscription & KubeObject;

let harness: Harness;
beforeEach(async () => {
  harness = await Harness.start();
  const spec = { sharing: { users: [{ identity: 'bob', level: 'collaborator' as const }] } };
  await harness.add({ name: 'box', phase: 'Stopped', spec });
});
afterEach(() => harness.stop());

const call = (method: string, path: string, body?: unknown, key = ANN_KEY) =>
  harness.call(method, `/api/v1/webhooks${path}`, { key, ...(body === undefined ? {} : { body }) });

const url = 'https://hooks.example.com/in';
const wish = (more: object = {}) => ({ url, eventTypes: ['sandbox.running'], sandboxId: 'box', ...more });

const stored = async (): Promise<Subscription[]> =>
  (await harness.api.list<Subscription>(WEBHOOK_SUBSCRIPTIONS)).items;

/** As admission stamps it, and the watch brings it. */
async function stamp(sub: string, status?: Subscription['status']): Promise<void> {
  for (const one of await stored()) {
    harness.router.stores.subscriptions.applyWatch(one);
    const { name = '', namespace } = one.metadata;
    const body = { spec: { createdBy: { sub } }, ...(status ? { status } : {}) };
    const stamped = await harness.api.patch<Subscription>(
      WEBHOOK_SUBSCRIPTIONS,
      { namespace, name },
      { type: 'merge', body },
    );
    harness.router.stores.subscriptions.applyWatch(stamped);
  }
}

describe('webhooks', () => {
  it('are objects that kubectl sees, with a key that the operator takes for them only', async () => {
    const made = await call('POST', '', wish());
    expect(made).toMatchObject({
      status: 201,
      body: { url, eventTypes: ['sandbox.running'], disabled: false, sandboxId: 'box', namespace: 'default' },
    });
    const { id, secret } = made.body;
    expect(id).toMatch(/^[0-9a-f]{32}$/);
    expect((await stored())[0]?.spec).toEqual({
      url,
      eventTypes: ['sandbox.running'],
      scope: 'Own',
      sandbox: 'box',
      secretRef: { name: `agenttier-webhook-${id}` },
    });
    const key = await harness.api.get<Secret>(SECRETS, {
      namespace: 'agenttier',
      name: `agenttier-webhook-${id}`,
    });
    expect(Buffer.from(key.data?.['secret'] ?? '', 'base64').toString()).toBe(secret);
    expect(key.metadata).toMatchObject({
      labels: { 'agenttier.io/secret-purpose': 'webhook-subscription' },
      annotations: { 'agenttier.io/subscription': `default/${id}` },
    });
    const written = harness.calls.filter(({ method, given }) => method === 'create' && given[0] !== SECRETS);
    expect(written[0]?.given[3]).toMatchObject({ impersonate: { user: 'agenttier:ann' } });
  });

  it('of foreign sandboxes are 404, of shared ones and without a sandbox 403', async () => {
    await harness.add({ name: 'private', owner: 'eve', phase: 'Stopped' });
    expect((await call('POST', '', wish({ sandboxId: 'private' }))).status).toBe(404);
    expect((await call('POST', '', wish({ sandboxId: 'none' }))).status).toBe(404);
    expect((await call('POST', '', wish(), BOB_KEY)).status).toBe(403);
    const bare = await call('POST', '', wish({ sandboxId: undefined }));
    expect([bare.status, bare.body.error]).toEqual([403, 'admin_required']);
    expect(await stored()).toEqual([]);
  });

  it('of administrators cover what they name', async () => {
    await call('POST', '', wish(), ADMIN_KEY);
    await call('POST', '', wish({ sandboxId: undefined, namespace: 'team' }), ADMIN_KEY);
    await call('POST', '', wish({ sandboxId: undefined }), ADMIN_KEY);
    const scopes = (await stored()).map(({ spec, metadata }) => [spec.scope, metadata.namespace]);
    expect(scopes).toEqual([
      ['Namespace', 'default'],
      ['Namespace', 'team'],
      ['Cluster', 'default'],
    ]);
  });

  it.each([
    [{ eventTypes: ['agent.invoke.begun'] }, 'eventTypes[0]'],
    [{ eventTypes: [] }, 'eventTypes'],
    [{ url: undefined }, 'url'],
  ])('refuse %j', async (more, field) => {
    const answer = await call('POST', '', wish(more));
    expect([answer.status, answer.body.violations?.[0]?.field]).toEqual([400, field]);
  });

  it('leave no key behind when admission refuses them', async () => {
    harness.api.before = ({ verb, resource }) => {
      if (verb === 'create' && resource === WEBHOOK_SUBSCRIPTIONS)
        throw errorFromResponse(422, { kind: 'Status', message: 'spec.url: must be on a public address' });
    };
    expect((await call('POST', '', wish())).status).toBe(422);
    expect((await harness.api.list(SECRETS)).items).toEqual([]);
  });

  it('are shown to their owner only, with what was delivered, and deleted with their key', async () => {
    const { id } = (await call('POST', '', wish())).body;
    const delivery = {
      id: 'u-1',
      eventType: 'sandbox.running',
      timestamp: '2026-06-01T12:00:00Z',
      attempt: 1,
      success: true,
      statusCode: 200,
    };
    await stamp('ann', { state: 'Active', deliveries: [delivery] });
    const { body } = await call('GET', '');
    expect(body.webhooks).toHaveLength(1);
    expect(body.webhooks[0]).not.toHaveProperty('secret');
    expect((await call('GET', '', undefined, BOB_KEY)).body).toEqual({ webhooks: [] });
    expect((await call('GET', '', undefined, ADMIN_KEY)).body).toEqual({ webhooks: [] });
    expect((await call('GET', `/${id}/deliveries`)).body).toEqual({ deliveries: [delivery] });
    expect((await call('GET', `/${id}/deliveries`, undefined, ADMIN_KEY)).status).toBe(200);
    expect((await call('GET', `/${id}/deliveries`, undefined, BOB_KEY)).status).toBe(404);
    expect((await call('DELETE', `/${id}`, undefined, BOB_KEY)).status).toBe(404);
    expect((await call('DELETE', `/${id}`)).status).toBe(204);
    expect([await stored(), (await harness.api.list(SECRETS)).items]).toEqual([[], []]);
    expect((await call('DELETE', `/${id}`)).status).toBe(404);
  });
});
