// SPDX-License-Identifier: Apache-2.0
import { afterAll, describe, expect, it, vi } from 'vitest';
import { until } from './testing/page.ts';

/** What the page has asked for, with who asked. */
const asked: string[] = [];
const given = globalThis.fetch;
globalThis.fetch = (input, init) => {
  const { pathname } = new URL(input as string);
  asked.push(`${pathname} ${new Headers(init?.headers).get('Authorization') ?? 'nobody'}`);
  return Promise.resolve(Response.json({ templates: [] }));
};
afterAll(() => void (globalThis.fetch = given));

const templatesAsked = (as: string) => asked.includes(`/api/v1/templates ${as}`);

describe('an element', () => {
  it('finds the provider around it, although both are on the page before any script', async () => {
    const provider = document.createElement('agenttier-provider');
    provider.append(document.createElement('agenttier-create-sandbox'));
    document.body.replaceChildren(provider);
    expect(customElements.get('agenttier-provider')).toBeUndefined();
    await import('./elements/create-sandbox/create-sandbox.ts');
    provider.getToken = () => Promise.resolve('late');
    await until('the request with the token', () => templatesAsked('Bearer late'));
  });

  it('without a provider asks anew once the page says who asks', async () => {
    const element = document.createElement('agenttier-create-sandbox');
    element.apiBase = '/api/v1';
    asked.length = 0;
    document.body.replaceChildren(element);
    await until('the request of nobody', () => templatesAsked('nobody'));
    element.getToken = vi.fn(() => Promise.resolve('mine'));
    await until('the request with the token', () => templatesAsked('Bearer mine'));
    const count = asked.length;
    element.getToken = () => Promise.resolve('mine again');
    await element.updateComplete;
    expect(asked.length).toBe(count);
  });
});
