// SPDX-License-Identifier: Apache-2.0
import { LitElement } from 'lit';
import { afterEach, describe, expect, it } from 'vitest';
import { FakeServer, until } from '../testing/page.ts';
import { ResourceController } from './resource.ts';
import type { ResourceOptions } from './resource.ts';

class Host extends LitElement {}
customElements.define('resource-host', Host);

afterEach(() => document.body.replaceChildren());

function follow(fake: FakeServer, load: ResourceOptions<number>['load'], follows: ['sandbox'] | []) {
  const host = new Host();
  const resource = new ResourceController<number>(host, { server: () => fake.server, load, follows });
  document.body.append(host);
  return resource;
}

describe('something of the server', () => {
  it('shows answers while changes come faster than the server answers', async () => {
    let running = true;
    const text = new TextEncoder().encode('event: sandbox\nid: 7\ndata: {}\n\n');
    const stream = new ReadableStream({
      start(control) {
        const beat = setInterval(() => (running ? control.enqueue(text) : clearInterval(beat)), 20);
      },
    });
    const fake = new FakeServer().on('GET /events/stream', () => new Response(stream));
    let [at, most, now] = [0, 0, 0];
    const resource = follow(
      fake,
      async (_server, signal) => {
        most = Math.max(most, (now += 1));
        await new Promise((resolve) => setTimeout(resolve, 150));
        now -= 1;
        expect(signal.aborted).toBe(false);
        return (at += 1);
      },
      ['sandbox'],
    );
    await until('the third answer', () => (resource.value ?? 0) >= 3);
    expect(most).toBe(1);
    running = false;
    // What changed while the last answer was on its way is asked for as well.
    const then = at;
    await until('the last word', () => at > then);
  });

  it('asks again by itself when nobody answered, though it follows nothing', async () => {
    let tries = 0;
    const resource = follow(
      new FakeServer(),
      () => ((tries += 1) < 2 ? Promise.reject(new TypeError('no network')) : Promise.resolve(tries)),
      [],
    );
    await until('the failure', () => resource.error);
    await until('the answer', () => resource.value === 2);
    expect(resource.error).toBeUndefined();
  });
});
