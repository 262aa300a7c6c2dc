// SPDX-License-Identifier: Apache-2.0

const sized = (width: 1 | 2 | 3, body: Buffer): Buffer => {
  const length = Buffer.alloc(width);
  length.writeUIntBE(body.length, 0, width);
  return Buffer.concat([length, body]);
};

/** A ClientHello that asks for these names, built from the grammar; more of something makes it wrong on purpose. */
export function helloFor(
  names: readonly string[],
  { extensions = 1, behind = 0 }: { readonly extensions?: number; readonly behind?: number } = {},
): Buffer {
  const entries = names.map((name) =>
    Buffer.concat([Buffer.from([0]), sized(2, Buffer.from(name, 'latin1'))]),
  );
  const extension = Buffer.concat([Buffer.from([0, 0]), sized(2, sized(2, Buffer.concat(entries)))]);
  const all = Buffer.concat(Array.from({ length: names.length === 0 ? 0 : extensions }, () => extension));
  const hello = Buffer.concat([
    Buffer.from([3, 3]),
    Buffer.alloc(32, 7),
    sized(1, Buffer.alloc(0)),
    sized(2, Buffer.from([0x13, 0x01])),
    sized(1, Buffer.from([0])),
    sized(2, all),
  ]);
  const message = Buffer.concat([Buffer.from([1]), sized(3, hello), Buffer.alloc(behind)]);
  return Buffer.concat([Buffer.from([22, 3, 1]), sized(2, message)]);
}
