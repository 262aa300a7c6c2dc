// SPDX-License-Identifier: Apache-2.0
import { expect, it } from 'vitest';
import { attachment, baseName, encodedRest } from './names.ts';

const named = (encoded: string): string => attachment(baseName(encoded));

it.each([
  ['workspace/report.pdf', 'attachment; filename="report.pdf"'],
  ['a%20b', `attachment; filename="a_b"; filename*=UTF-8''a%20b`],
  [
    '%22%0d%0aSet-Cookie:%20x=1',
    `attachment; filename="___Set-Cookie__x_1"; filename*=UTF-8''%22%0D%0ASet-Cookie%3A%20x%3D1`,
  ],
  ['%F0%9F%98%80.txt', `attachment; filename="__.txt"; filename*=UTF-8''%F0%9F%98%80.txt`],
  ['raw%ff', 'attachment; filename="raw_"'],
  ['a%2Fb', 'attachment; filename="b"'],
  ['', 'attachment; filename="download"'],
])('names the download %s', (encoded, header) => {
  expect(named(encoded)).toBe(header);
});

it('keeps a path as it was encoded, and encodes raw bytes', () => {
  expect(encodedRest('a%20b/%ff')).toBe('a%20b/%ff');
  expect(encodedRest('caf\u00c3\u00a9 \n')).toBe('caf%C3%A9%20%0A');
});
