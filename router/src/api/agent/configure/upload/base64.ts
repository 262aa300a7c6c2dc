// SPDX-License-Identifier: Apache-2.0

const WHOLE = /^[A-Za-z0-9+/]*={0,2}$/;

/** Decodes base64 (RFC 4648, section 4, with padding) that comes in pieces; line breaks in it do not count. */
export class Base64 {
  #rest = '';
  #isPadded = false;

  /** Undefined when it is no base64. */
  push(bytes: Buffer): Buffer | undefined {
    const text = this.#rest + bytes.toString('latin1').replaceAll(/[\r\n]/g, '');
    const size = text.length - (text.length % 4);
    const whole = text.slice(0, size);
    this.#rest = text.slice(size);
    if (!WHOLE.test(whole) || (this.#isPadded && text !== '')) return undefined;
    this.#isPadded ||= whole.endsWith('=');
    return Buffer.from(whole, 'base64');
  }

  /** Whether it ended where it may. */
  isComplete(): boolean {
    return this.#rest === '';
  }
}
