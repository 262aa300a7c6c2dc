// SPDX-License-Identifier: Apache-2.0
import { json } from '@agenttier/machinery/testing/scriptedServer';
import { describe, expect, it } from 'vitest';
import { scriptedRouter } from '../testing/scriptedRouter.ts';

const router = scriptedRouter();

describe('audit, usage, costs and preferences', () => {
  it('shows who did what', async () => {
    const event = {
      timestamp: 'T',
      eventType: 'sandbox.created',
      sandboxName: 'demo',
      namespace: 'team',
      user: 'ann',
    };
    router.server.on('GET', '/api/v1/audit/events', json({ events: [event] }));
    expect((await router.run('audit', '--no-headers')).out).toBe('T   sandbox.created   demo   team   ann\n');
    expect(router.asked()[0]).toEqual(['GET /audit/events?namespace=team&limit=50']);
    expect((await router.run('audit', '--limit', '0')).code).toBe(2);
  });

  it('counts and estimates', async () => {
    const usage = {
      total_sandboxes: 3,
      status_breakdown: { running: 2 },
      template_breakdown: { python: 3 },
      avg_startup_ms: 40,
      startup_sample_count: 7,
    };
    const line = { template: 'python', hourly_cost: 0.25, cost_to_date: 1, count: 3 };
    router.server
      .on('GET', '/api/v1/analytics/usage', json(usage))
      .on('GET', '/api/v1/analytics/costs', json({ per_template: [line] }));
    expect((await router.run('usage')).out).toBe(
      'sandboxes: 3\nstate running: 2\ntemplate python: 3\naverage start: 40 ms of 7\n',
    );
    expect((await router.run('costs', '--no-headers')).out).toBe('python   3   0.2500   1.0000\n');
    expect(JSON.parse((await router.run('usage', '-o', 'json')).out)).toEqual(usage);
  });

  it('shows and replaces preferences', async () => {
    router.server.on('*', '/api/v1/user/preferences', json({ theme: 'dark' }));
    expect(JSON.parse((await router.run('preferences')).out)).toEqual({ theme: 'dark' });
    const host = router.host();
    host.streams.in.end('{"theme":"dark"}');
    await router.runOn(host, 'preferences', '-');
    expect(router.asked()[1]).toEqual(['PUT /user/preferences', { theme: 'dark' }]);
    const list = router.host();
    list.streams.in.end('[]');
    expect((await router.runOn(list, 'preferences', '-')).err).toBe('error: - must hold one JSON object\n');
  });
});

describe('webhook', () => {
  it('subscribes, lists, tells of deliveries and ends', async () => {
    const webhook = {
      id: 'w1',
      url: 'https://x',
      eventTypes: ['a', 'b'],
      namespace: 'team',
      disabled: false,
    };
    const delivery = { eventType: 'a', timestamp: 'T', statusCode: 500, attempt: 2, success: false };
    router.server
      .on('POST', '/api/v1/webhooks', json({ ...webhook, secret: 's3cret', warning: 'shown once' }, 201))
      .on('GET', '/api/v1/webhooks', json({ webhooks: [webhook] }))
      .on('GET', '/api/v1/webhooks/w1/deliveries', json({ deliveries: [delivery] }))
      .on('DELETE', '/api/v1/webhooks/w1', (response) => void response.writeHead(204).end());
    const created = await router.run(
      'webhook',
      'create',
      'https://x',
      '--event-types',
      'a, b',
      '--sandbox',
      'demo',
    );
    expect(created).toEqual({ code: 0, out: 'id: w1\nsecret: s3cret\n', err: 'shown once\n' });
    expect(router.asked()[0]).toEqual([
      'POST /webhooks',
      { url: 'https://x', eventTypes: ['a', 'b'], sandboxId: 'demo', namespace: 'team' },
    ]);
    expect((await router.run('webhook', 'ls', '--no-headers')).out).toBe(
      'w1   https://x   a,b   <none>   team\n',
    );
    expect((await router.run('webhook', 'deliveries', 'w1', '--no-headers')).out).toBe(
      'a   T   500   2   false\n',
    );
    expect((await router.run('webhook', 'rm', 'w1')).out).toBe('deleted w1\n');
  });
});
