// SPDX-License-Identifier: Apache-2.0
import { expect, it } from 'vitest';
import { readConfig } from './config.ts';

it('has a default for everything', () => {
  expect(readConfig({})).toMatchObject({
    port: 3128,
    healthPort: 8081,
    rules: { clusterCidrs: [], allowedPrivateCidrs: [] },
  });
});

it('reads ranges and limits', () => {
  const env = { CLUSTER_CIDRS: '34.0.0.0/8, 35.0.0.0/8', CONNECTIONS_PER_SANDBOX: '10' };
  expect(readConfig(env)).toMatchObject({
    rules: { clusterCidrs: ['34.0.0.0/8', '35.0.0.0/8'] },
    limits: { perSandbox: 10, perAddress: 74 },
  });
});

it.each([
  ['PROXY_PORT', 'x'],
  ['ALLOWED_PRIVATE_CIDRS', '10.0.0.0'],
])('names %s when it cannot be used', (name, value) => {
  expect(() => readConfig({ [name]: value })).toThrow(name);
});
