// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from 'vitest';
import { imageOf, parseImage } from './imageReference.ts';

const digest = `sha256:${'0'.repeat(64)}`;

describe('parseImage', () => {
  it.each([
    ['nginx', { registry: 'docker.io', path: 'library/nginx' }],
    ['nginx:1.27', { registry: 'docker.io', path: 'library/nginx', tag: '1.27' }],
    ['acme/tools', { registry: 'docker.io', path: 'acme/tools' }],
    ['index.docker.io/acme/tools', { registry: 'docker.io', path: 'acme/tools' }],
    ['docker.io/nginx', { registry: 'docker.io', path: 'library/nginx' }],
    ['ghcr.io/acme/tools:v1', { registry: 'ghcr.io', path: 'acme/tools', tag: 'v1' }],
    ['GHCR.io/acme/tools', { registry: 'ghcr.io', path: 'acme/tools' }],
    ['localhost/tools', { registry: 'localhost', path: 'tools' }],
    ['localhost:5000/tools', { registry: 'localhost:5000', path: 'tools' }],
    ['host:5000/a/b/c:x', { registry: 'host:5000', path: 'a/b/c', tag: 'x' }],
    [`ghcr.io/a/b:x@${digest}`, { registry: 'ghcr.io', path: 'a/b', tag: 'x', digest }],
    [`nginx@${digest}`, { registry: 'docker.io', path: 'library/nginx', digest }],
  ])('%s', (reference, expected) => {
    expect(parseImage(reference)).toEqual(expected);
  });

  it.each([
    '',
    ' ',
    'Nginx',
    'ghcr.io/',
    'a//b',
    'nginx:',
    'nginx:.x',
    'nginx@sha256:12',
    'a@b@c',
    '-x',
    'ghcr.io/../x',
  ])('refuses "%s"', (reference) => {
    expect(parseImage(reference)).toBeUndefined();
  });
});

describe('imageOf', () => {
  it.each([
    [{ repository: 'nginx' }, 'nginx'],
    [{ repository: 'nginx', tag: '' }, 'nginx'],
    [{ repository: 'host:5000/nginx', tag: '1' }, 'host:5000/nginx:1'],
    [{ repository: 'nginx:2', tag: '1' }, 'nginx:2'],
    [{ repository: `nginx@${digest}`, tag: '1' }, `nginx@${digest}`],
    [{}, ''],
  ])('%j', (image, expected) => {
    expect(imageOf(image)).toBe(expected);
  });
});
