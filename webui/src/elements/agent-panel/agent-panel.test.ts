// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from 'vitest';
import { FakeServer, show, until } from '../../testing/page.ts';
import './agent-panel.ts';

const events = (...parts: [event: string, data: object][]): Response =>
  new Response(parts.map(([event, data]) => `event: ${event}\ndata: ${JSON.stringify(data)}\n\n`).join(''), {
    headers: { 'Content-Type': 'text/event-stream' },
  });

async function panelOf(fake: FakeServer) {
  const element = document.createElement('agenttier-agent-panel');
  Object.assign(element, { server: fake.server, sandboxId: 'box', namespace: 'team' });
  return show(element);
}

describe('agenttier-agent-panel', () => {
  it('shows what the agent prints, and how it ended', async () => {
    const fake = new FakeServer().on('POST /sandboxes/box/invoke', () =>
      events(
        ['start', { invokeId: 'inv-1', startedAt: 1 }],
        ['log', { stream: 'stdout', data: 'hello' }],
        ['log', { stream: 'stderr', data: 'careful' }],
        ['exit', { invokeId: 'inv-1', exitCode: 2, durationMs: 1500, reason: 'completed' }],
      ),
    );
    const panel = await panelOf(fake);
    await panel.invoke('say hello');
    await until('the log', () => panel.shadowRoot?.querySelector('pre')?.textContent === 'hello\ncareful\n');
    expect(panel.shadowRoot?.querySelector('.note.bad')?.textContent).toBe('Ended with code 2 after 1.5 s.');
    expect(fake.asked[0]?.url.searchParams.get('prompt')).toBe('say hello');
  });

  it('says why nothing runs', async () => {
    const fake = new FakeServer().on(
      'POST /sandboxes/box/invoke',
      () => ({ error: 'concurrency_exceeded', message: 'two run already' }),
      429,
    );
    const panel = await panelOf(fake);
    await panel.invoke('x');
    expect(await until('the note', () => panel.shadowRoot?.querySelector('.note.bad')?.textContent)).toBe(
      'two run already',
    );
  });
});
