// SPDX-License-Identifier: Apache-2.0
import type { Sandbox, WebhookSubscription, WebhookSubscriptionSpec } from '@agenttier/crds/generated/types';
import { ANNOTATION_SUBSCRIPTION, LABEL_OUTBOX, LABEL_SECRET_PURPOSE } from '@agenttier/crds/meta/labels';
import { CLUSTER_SANDBOX_TEMPLATES, SANDBOXES, WEBHOOK_SUBSCRIPTIONS } from '@agenttier/crds/meta/resources';
import type { TemplateObject } from '@agenttier/crds/template/compose';
import { adminClient, freshNamespace } from '@agenttier/e2e/envtest/server';
import { PublicAddresses } from '@agenttier/machinery/http/publicAddress';
import type { KubeClient } from '@agenttier/machinery/kube/client';
import { isNotFound, KubeError } from '@agenttier/machinery/kube/errors';
import { CONFIG_MAPS, PODS, SECRETS } from '@agenttier/machinery/kube/resource';
import type { KubeObject } from '@agenttier/machinery/kube/resource';
import { until } from '@agenttier/machinery/testing/until';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { chartOperator } from '../testing/chartOperator.ts';
import type { ChartOperatorOptions } from '../testing/chartOperator.ts';
import { sandbox as build, SETTINGS, template } from '../testing/fixtures.ts';
import { READY_POD } from '../testing/pods.ts';
import { signaturesOf, startReceiver } from '../testing/receiver.ts';
import type { Received, Receiver } from '../testing/receiver.ts';
import { createPost } from './post.ts';

const KEY = 'a signing key of 28 characters';
const install = SETTINGS.installNamespace;

let admin: KubeClient;
let namespace: string;
let receiver: Receiver;
let chain: TemplateObject[];
let operator: { stop: () => Promise<void> } | undefined;

beforeAll(async () => {
  admin = await adminClient();
  namespace = await freshNamespace('notify');
  receiver = await startReceiver();
  const base = template({ image: { repository: 'example.test/tools', tag: '1' } }, 'notify-envtest');
  const { metadata, spec } = base;
  const made = await admin.create(CLUSTER_SANDBOX_TEMPLATES, undefined, {
    metadata: { name: metadata.name ?? '' },
    spec,
  } as KubeObject);
  chain = [{ ...base, metadata: made.metadata }];
});

afterAll(() => receiver.close());

afterEach(async () => {
  await stopOperator();
  receiver.answer = 204;
  for (const { metadata } of (await admin.list(WEBHOOK_SUBSCRIPTIONS, { namespace })).items) {
    await admin.delete(WEBHOOK_SUBSCRIPTIONS, { namespace, name: metadata.name ?? '' });
  }
});

const stopOperator = async (): Promise<void> => {
  await operator?.stop();
  operator = undefined;
};

const start = async (options: ChartOperatorOptions = {}): Promise<void> => {
  const post = createPost({ addresses: new PublicAddresses(['127.0.0.0/8']), extraCa: receiver.ca });
  operator = await chartOperator(admin, SETTINGS, { post, ...options });
};

async function subscribe(name: string, spec: Partial<WebhookSubscriptionSpec>): Promise<void> {
  await admin
    .create(SECRETS, install, {
      metadata: {
        name: `${name}-key`,
        labels: { [LABEL_SECRET_PURPOSE]: 'webhook-subscription' },
        annotations: { [ANNOTATION_SUBSCRIPTION]: `${namespace}/${name}` },
      },
      stringData: { secret: KEY },
    } as KubeObject)
    .catch((error: unknown) => {
      if (!(error instanceof KubeError && error.status === 409)) throw error;
    });
  await admin.create(WEBHOOK_SUBSCRIPTIONS, namespace, {
    metadata: { name },
    spec: { url: receiver.url, secretRef: { name: `${name}-key` }, createdBy: { sub: 'alice' }, ...spec },
  } as KubeObject);
}

async function apply(name: string, owner = 'alice'): Promise<void> {
  const { metadata, ...rest } = build({ name, spec: { createdBy: { sub: owner } }, chain });
  const { annotations, finalizers } = metadata;
  await admin.create(SANDBOXES, namespace, {
    ...rest,
    metadata: { name, namespace, annotations, finalizers },
  } as KubeObject);
}

const read = (name: string): Promise<Sandbox | undefined> =>
  admin.get<Sandbox & KubeObject>(SANDBOXES, { namespace, name }).catch((error: unknown) => {
    if (!isNotFound(error)) throw error;
    return undefined;
  });

const told = (name: string, event?: string): Received[] =>
  receiver.received.filter(
    ({ body }) => body.sandboxId === name && (event === undefined || body.event === event),
  );

const subscription = (name: string) =>
  admin.get<WebhookSubscription & KubeObject>(WEBHOOK_SUBSCRIPTIONS, { namespace, name });

/** Takes the pod away as a kubelet would, once it is being deleted. */
const endPod = async (name: string): Promise<boolean> => {
  const key = { namespace, name: `${name}-pod` };
  await admin.delete(PODS, key, { gracePeriodSeconds: 0 }).catch((error: unknown) => {
    if (!isNotFound(error)) throw error;
  });
  return (await read(name)) === undefined;
};

const outbox = async (): Promise<string[]> => {
  const { items } = await admin.list<KubeObject & { data?: Record<string, string> }>(CONFIG_MAPS, {
    namespace: install,
    labelSelector: LABEL_OUTBOX,
  });
  return items.flatMap(({ data }) => Object.keys(data ?? {}));
};

describe('a subscription of the owner', () => {
  it('hears of the deletion once, with signatures that the key proves, after the object is gone', async () => {
    await start();
    await subscribe('ci', { eventTypes: ['sandbox.deleting'] });
    await until(
      async () => (await subscription('ci')).status?.state === 'Active',
      'the subscription to be known',
    );
    await apply('mine');
    await apply('foreign', 'bob');
    await until(async () => (await read('mine'))?.status?.phase === 'Creating', 'the sandbox to be taken up');
    for (const name of ['foreign', 'mine']) {
      await admin.delete(SANDBOXES, { namespace, name });
      await until(() => endPod(name), `${name} to be gone`);
    }
    await until(() => told('mine').length > 0, 'the event');
    const [got] = told('mine');
    expect(got?.body).toMatchObject({ event: 'sandbox.deleting', namespace, data: { owner: 'alice' } });
    expect(got?.headers).toMatchObject(got ? signaturesOf(KEY, got) : {});
    expect(got?.headers['x-agenttier-delivery']).toBe(got?.body.id);
    await until(async () => (await outbox()).length === 0, 'the outbox to be empty');
    await until(
      async () => (await subscription('ci')).status?.deliveries?.length === 1,
      'the delivery to be recorded',
    );
    expect((await subscription('ci')).status?.deliveries?.[0]).toMatchObject({
      id: got?.body.id,
      eventType: 'sandbox.deleting',
      statusCode: 204,
      success: true,
      attempt: 1,
    });
    expect([told('mine').length, told('foreign').length]).toEqual([1, 0]);
  });

  it('hears every step of a life in order', async () => {
    await start();
    await subscribe('all', { sandbox: 'life' });
    await until(
      async () => (await subscription('all')).status?.state === 'Active',
      'the subscription to be known',
    );
    await apply('life');
    await until(async () => {
      const body = { status: READY_POD };
      await admin
        .patch(PODS, { namespace, name: 'life-pod' }, { type: 'merge', body }, { subresource: 'status' })
        .catch(() => undefined);
      return (await read('life'))?.status?.phase === 'Running';
    }, 'the sandbox to run');
    await admin.patch(
      SANDBOXES,
      { namespace, name: 'life' },
      { type: 'merge', body: { spec: { desiredState: 'Stopped' } } },
    );
    await until(async () => {
      await endPod('life');
      return (await read('life'))?.status?.phase === 'Stopped';
    }, 'the sandbox to stop');
    await admin.patch(
      SANDBOXES,
      { namespace, name: 'life' },
      { type: 'merge', body: { spec: { desiredState: 'Running' } } },
    );
    await until(() => told('life').length >= 4, 'four events');
    const events = told('life').map(({ body }) => body.event);
    expect(events).toEqual(['sandbox.creating', 'sandbox.running', 'sandbox.stopped', 'sandbox.resumed']);
    const numbers = told('life').map(({ body }) => Number(body.id.split('-').at(-1)));
    expect(numbers).toEqual([1, 2, 3, 4]);
    await admin.delete(SANDBOXES, { namespace, name: 'life' });
    await until(() => endPod('life'), 'the sandbox to be gone');
  });
});

describe('a leader that is killed', () => {
  const known = (name: string) =>
    until(async () => (await subscription(name)).status?.state === 'Active', 'the subscription to be known');

  it('between the transition and the outbox has lost nothing', async () => {
    // Its writes to the outbox never arrive: what it knows is in the status of the sandbox alone.
    const down = new KubeError({ status: 503, reason: 'ServiceUnavailable', message: 'not now' });
    await start({
      spoil: (client) => ({
        ...client,
        create: (resource, ...rest) =>
          resource === CONFIG_MAPS ? Promise.reject(down) : client.create(resource, ...rest),
        patch: (resource, ...rest) =>
          resource === CONFIG_MAPS ? Promise.reject(down) : client.patch(resource, ...rest),
      }),
    });
    await subscribe('first', { eventTypes: ['sandbox.creating'] });
    await known('first');
    await apply('early');
    await until(
      async () => (await read('early'))?.status?.notices?.length === 1,
      'the event to be in the status',
    );
    await stopOperator();
    expect(told('early')).toEqual([]);
    await start();
    await until(() => told('early').length > 0, 'the event');
    await until(async () => (await read('early'))?.status?.notices === undefined, 'the status to be cleared');
    await until(async () => (await outbox()).length === 0, 'the outbox to be empty');
    expect(told('early').length).toBe(1);
  });

  it('while the receiver has it delivers it again under the same id', async () => {
    receiver.answer = undefined;
    await start();
    await subscribe('second', { eventTypes: ['sandbox.creating'] });
    await known('second');
    await apply('late');
    await until(() => told('late').length === 1, 'the first try');
    await stopOperator();
    expect((await outbox()).length).toBe(1);
    receiver.answer = 204;
    await start();
    await until(() => told('late').length === 2, 'the second try');
    const [first, second] = told('late');
    expect(second?.body.id).toBe(first?.body.id);
    expect(second?.text).toBe(first?.text);
    await until(async () => (await outbox()).length === 0, 'the outbox to be empty');
  });
});

describe('a receiver that is dead', () => {
  it('delays nobody else, and says why it gets nothing', async () => {
    await start();
    // Nothing listens on that port.
    await subscribe('dead', { url: 'https://127.0.0.1:9/', eventTypes: ['sandbox.creating'] });
    await subscribe('alive', { eventTypes: ['sandbox.creating'] });
    for (const name of ['dead', 'alive']) {
      await until(async () => (await subscription(name)).status?.state === 'Active', `${name} to be known`);
    }
    const names = ['b1', 'b2', 'b3', 'b4', 'b5', 'b6'];
    await Promise.all(names.map((name) => apply(name)));
    await until(() => names.every((name) => told(name).length === 1), 'all events at the live one');
    await until(
      async () => ((await subscription('dead')).status?.deliveries?.length ?? 0) > 0,
      'a try to be recorded',
    );
    const { deliveries = [], state } = (await subscription('dead')).status ?? {};
    expect(state).toBe('Active');
    expect(deliveries[0]?.error).toContain('ECONNREFUSED');
    await until(
      async () => (await outbox()).length === names.length,
      'only the events of the dead one to wait',
    );
  });

  it('is not sent what it has no key for', async () => {
    await start();
    await subscribe('thief', { secretRef: { name: 'ci-key' }, eventTypes: ['sandbox.creating'] });
    await until(
      async () => (await subscription('thief')).status?.state === 'Active',
      'the subscription to be known',
    );
    await apply('secretless');
    await until(
      async () => ((await subscription('thief')).status?.deliveries?.length ?? 0) > 0,
      'a try to be recorded',
    );
    expect((await subscription('thief')).status?.deliveries?.[0]?.error).toContain('there is no signing key');
    expect(told('secretless')).toEqual([]);
  });
});
