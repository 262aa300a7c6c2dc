// SPDX-License-Identifier: Apache-2.0
import { afterEach, describe, expect, it, vi } from 'vitest';
import { suggestionsOf } from '../../data/ports.ts';
import { barriers, FakeServer, show, until } from '../../testing/page.ts';
import './port-forwards.ts';

interface Port {
  readonly port: number;
  readonly protocol: string;
  readonly previewUrl?: string;
}

const listening = [
  { port: 9000, addresses: ['0.0.0.0'] },
  { port: 5173, addresses: ['127.0.0.1'], command: 'node' },
  { port: 3000, addresses: ['127.0.0.1'], command: 'python3' },
];

function server(first: readonly Port[]) {
  let ports = first;
  return new FakeServer()
    .on('GET /sandboxes/box/ports', () => ({ ports }))
    .on('GET /sandboxes/box/ports/listening', () => ({ ports: listening }))
    .on('POST /sandboxes/box/ports', (_url, body) => {
      const made = body as Port;
      ports = [...ports, { ...made, previewUrl: `http://${made.port}--box.preview.test/` }];
      return made;
    })
    .on('DELETE /sandboxes/box/ports/3000', () => {
      ports = ports.filter(({ port }) => port !== 3000);
      return new Response(null, { status: 204 });
    });
}

async function forwardsOf(fake: FakeServer) {
  const element = document.createElement('agenttier-port-forwards');
  Object.assign(element, { server: fake.server, sandboxId: 'box', namespace: 'team' });
  await show(element);
  const root = element.shadowRoot as ShadowRoot;
  await until('the ports', () => root.querySelector('h3'));
  const button = (label: string) =>
    [...root.querySelectorAll('button')].find(
      (one) => (one.getAttribute('aria-label') ?? one.textContent?.trim()) === label,
    );
  return { element, root, button };
}

afterEach(() => vi.restoreAllMocks());

describe('suggestions', () => {
  it('are what listens, but for the runtime and what is forwarded', () => {
    const forwarded = [{ port: 3000, protocol: 'http' }];
    expect(suggestionsOf(listening, forwarded).map(({ port }) => port)).toEqual([5173]);
    expect(suggestionsOf(listening, []).map(({ port }) => port)).toEqual([3000, 5173]);
  });
});

describe('agenttier-port-forwards', () => {
  it('forwards what listens by one click, and takes it back', async () => {
    const { element, root, button } = await forwardsOf(server([]));
    expect(root.querySelector('.empty')).not.toBeNull();
    expect(await barriers(element)).toEqual([]);
    const changed = new Promise<CustomEvent>((resolve) =>
      element.addEventListener('agenttier-port-changed', (event) => resolve(event)),
    );
    button('Forward port 3000')?.click();
    const { detail } = await changed;
    expect(detail.ports).toEqual([
      { port: 3000, protocol: 'http', previewUrl: 'http://3000--box.preview.test/' },
    ]);
    await until('the suggestion to go', () => button('Forward port 3000') === undefined);
    expect(await barriers(element)).toEqual([]);
    button('Remove port 3000')?.click();
    await until('nothing', () => root.querySelector('.empty'));
  });

  it('opens the preview in a tab of its own, by a ticket', async () => {
    const replace = vi.fn();
    const tab = { opener: globalThis as unknown, location: { replace }, close: vi.fn() };
    vi.spyOn(globalThis, 'open').mockReturnValue(tab as unknown as Window);
    const fake = server([{ port: 3000, protocol: 'http', previewUrl: 'http://3000--box.preview.test/' }]);
    const { root, button } = await forwardsOf(fake);
    button('Open preview of port 3000')?.click();
    await until('the refusal', () => root.querySelector('[role=alert]'));
    expect(tab.close).toHaveBeenCalledOnce();
    fake.on('POST /sandboxes/box/ports/3000/preview-tickets', () => ({ url: 'http://entry.test/?ticket=t' }));
    button('Open preview of port 3000')?.click();
    await until('the tab', () => replace.mock.calls.length > 0);
    expect(replace).toHaveBeenCalledExactlyOnceWith('http://entry.test/?ticket=t');
    expect(tab.opener).toBeNull();
  });

  it('says what is missing where previews have no domain', async () => {
    const { root, button } = await forwardsOf(server([{ port: 3000, protocol: 'http' }]));
    expect(root.textContent).toContain('networking.previewDomain');
    expect(button('Open preview of port 3000')).toBeUndefined();
  });

  it('shows what the policy objects to', async () => {
    const violations = [{ code: 'x', field: 'spec.ports', message: 'has 3 ports, 2 at most' }];
    const fake = server([]).on('POST /sandboxes/box/ports', () =>
      Response.json({ error: 'policy_violation', violations }, { status: 403 }),
    );
    const { element, root } = await forwardsOf(fake);
    await element.add(8080);
    await element.updateComplete;
    expect(root.querySelector('[role=alert]')?.textContent).toContain('2 at most');
  });
});
