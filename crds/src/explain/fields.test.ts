// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from 'vitest';
import { explainFields, valueOf } from './fields.ts';

const spec = {
  image: { repository: 'ghcr.io/acme/py', tag: '3' },
  resources: { limits: { cpu: '2', 'nvidia.com/gpu': '1' } },
  env: [
    { name: 'A', value: '1' },
    { name: 'B.C', value: 'two' },
  ],
  credentials: [{ secretName: 's', mountAs: 'env' }],
  initScripts: ['echo a', 'echo b'],
  network: { allowInternet: false, egressRules: [{ cidr: '10.0.0.0/8' }] },
};

describe('valueOf', () => {
  it.each([
    ['image.tag', '3'],
    ['resources.limits.cpu', '2'],
    ['resources.limits[nvidia.com/gpu]', '1'],
    ['env[A]', { name: 'A', value: '1' }],
    ['env[B.C]', { name: 'B.C', value: 'two' }],
    ['credentials[s,env]', { secretName: 's', mountAs: 'env' }],
    ['initScripts[1]', 'echo b'],
    ['network.allowInternet', false],
    ['nothing.here', undefined],
    ['env[Z]', undefined],
  ])('%s', (path, value) => {
    expect(valueOf(spec, path)).toEqual(value);
  });

  it('follows the order of the origins', () => {
    expect(explainFields(spec, { 'image.tag': 'Sandbox', 'env[A]': 'default' })).toEqual([
      { field: 'image.tag', value: '3', origin: 'Sandbox' },
      { field: 'env[A]', value: { name: 'A', value: '1' }, origin: 'default' },
    ]);
  });
});
