// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from 'vitest';
import { show } from '../../testing/page.ts';
import './provider.ts';

describe('agenttier-provider', () => {
  const token = () => () => Promise.resolve('token');

  it('lets elements ask anew once a page says who asks, and not each time that it says so again', async () => {
    const provider = await show(document.createElement('agenttier-provider'));
    const asNobody = provider.server;
    expect(asNobody).toBeDefined();
    provider.getToken = token();
    await provider.updateComplete;
    const asSomebody = provider.server;
    expect(asSomebody).not.toBe(asNobody);
    provider.getToken = token();
    await provider.updateComplete;
    expect(provider.server).toBe(asSomebody);
  });

  it('has one server from the start where the page was first', async () => {
    const provider = document.createElement('agenttier-provider');
    provider.getToken = token();
    await show(provider);
    const { server } = provider;
    provider.renew();
    expect(provider.server).not.toBe(server);
  });
});
