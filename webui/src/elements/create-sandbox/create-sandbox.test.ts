// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from 'vitest';
import { barriers, FakeServer, show, until } from '../../testing/page.ts';
import './create-sandbox.ts';
import { EMPTY_DRAFT, placed, sandboxOf } from './draft.ts';

const templates = {
  templates: [{ name: 'minimal-shell', description: 'A shell', image: '', resourceVersion: '1', spec: {} }],
};

async function dialogOf(server: FakeServer) {
  server.on('GET /templates', () => templates);
  const element = document.createElement('agenttier-create-sandbox');
  element.server = server.server;
  await show(element);
  element.show('minimal-shell');
  await until('the templates', () => element.shadowRoot?.querySelectorAll('option').length === 2);
  return element;
}

function type(element: Element, name: string, value: string): void {
  const input = element.shadowRoot?.querySelector<HTMLInputElement>(`[name=${name}]`);
  if (!input) throw new Error(`no field ${name}`);
  input.value = value;
  input.dispatchEvent(new Event('input'));
}

describe('a draft', () => {
  it('says nothing of what is left to the template', () => {
    expect(sandboxOf({ ...EMPTY_DRAFT, name: 'a', template: 't' })).toEqual({
      name: 'a',
      templateRef: { name: 't' },
    });
    expect(sandboxOf({ ...EMPTY_DRAFT, name: 'a', template: 't', cpu: '2', internet: true })).toEqual({
      name: 'a',
      templateRef: { name: 't' },
      resources: { limits: { cpu: '2' } },
      network: { allowInternet: true },
    });
  });

  it('has each violation at its field, and the others with their path', () => {
    const of = (field: string, message: string) => ({ code: 'cpu_limit_exceeded' as const, field, message });
    const found = placed([
      of('spec.resources.limits.cpu', 'too many'),
      of('spec.network.allowInternet', 'not here'),
      of('spec.security.runAsUser', 'root'),
    ]);
    expect([...found]).toEqual([
      ['cpu', ['too many']],
      ['internet', ['not here']],
      ['', ['spec.security.runAsUser: root']],
    ]);
  });
});

describe('agenttier-create-sandbox', () => {
  it('asks admission while it is filled in, and shows what it says at the field', async () => {
    const violation = {
      code: 'cpu_limit_exceeded',
      field: 'spec.resources.limits.cpu',
      message: 'is 64, 2 at most',
    };
    const server = new FakeServer().on(
      'POST /sandboxes',
      () => ({ error: 'policy_violation', violations: [violation] }),
      403,
    );
    const element = await dialogOf(server);
    type(element, 'name', 'box');
    type(element, 'cpu', '64');
    const shown = await until(
      'the verdict',
      () => element.shadowRoot?.querySelector('#cpu-problem')?.textContent,
    );
    expect(shown).toBe('is 64, 2 at most');
    const asked = server.asked.find(({ method }) => method === 'POST');
    expect(asked?.url.searchParams.get('dryRun')).toBe('true');
    expect(asked?.body).toMatchObject({ name: 'box', resources: { limits: { cpu: '64' } } });
  });

  it('creates, closes and tells the page', async () => {
    const made = { sandboxId: 'box', name: 'box', namespace: 'default' };
    const server = new FakeServer().on('POST /sandboxes', () => made, 201);
    const element = await dialogOf(server);
    type(element, 'name', 'box');
    const created = new Promise<CustomEvent>((resolve) =>
      element.addEventListener('agenttier-sandbox-created', (event) => resolve(event)),
    );
    element.shadowRoot?.querySelector('form')?.requestSubmit();
    expect((await created).detail).toEqual({ sandbox: made });
    expect(element.shadowRoot?.querySelector('dialog')?.open).toBe(false);
  });

  it('has no barriers', async () => {
    expect(await barriers(await dialogOf(new FakeServer()))).toEqual([]);
  });
});
