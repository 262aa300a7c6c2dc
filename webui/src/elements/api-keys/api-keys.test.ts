// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from 'vitest';
import { barriers, FakeServer, show, until } from '../../testing/page.ts';
import './api-keys.ts';

describe('agenttier-api-keys', () => {
  it('shows a new key once, and takes keys away', async () => {
    let keys = [{ id: 'k1', userId: 'ann', name: 'laptop', createdAt: '2026-01-01T00:00:00Z' }];
    const fake = new FakeServer()
      .on('GET /user/api-keys', () => ({ keys }))
      .on('POST /user/api-keys', () => ({ id: 'k2', key: 'atk_secret', name: 'ci' }), 201)
      .on('DELETE /user/api-keys/k1', () => {
        keys = [];
        return { status: 'revoked', id: 'k1' };
      });
    const element = document.createElement('agenttier-api-keys');
    element.server = fake.server;
    await show(element);
    const root = element.shadowRoot as ShadowRoot;
    await until('the key', () => root.textContent?.includes('laptop'));
    expect(await barriers(element)).toEqual([]);
    root.querySelector('form')?.requestSubmit();
    await until('the new key', () => root.querySelector('code')?.textContent === 'atk_secret');
    root.querySelector<HTMLButtonElement>('td.do button')?.click();
    await until('the empty list', () => root.textContent?.includes('No keys yet.'));
  });
});
