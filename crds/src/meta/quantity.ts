// SPDX-License-Identifier: Apache-2.0

const FORM = /^([+-]?)([0-9]*)(?:\.([0-9]*))?([KMGTPE]i|[numkMGTPE]|[eE][+-]?[0-9]{1,3})?$/;

/** Power of ten of a decimal suffix. */
const DECIMAL: Readonly<Record<string, number>> = {
  n: -9,
  u: -6,
  m: -3,
  k: 3,
  M: 6,
  G: 9,
  T: 12,
  P: 15,
  E: 18,
};
const BINARY = ['Ki', 'Mi', 'Gi', 'Ti', 'Pi', 'Ei'];

/**
 * A Kubernetes quantity in thousandths of its unit, rounded up as Kubernetes does; undefined when it is none.
 * A bigint, because 16Ei in thousandths does not fit a number.
 */
export function parseQuantity(quantity: string | number): bigint | undefined {
  const match = FORM.exec(typeof quantity === 'number' ? plain(quantity) : quantity);
  if (match === null) return undefined;
  const [, sign, whole = '', decimals = '', suffix = ''] = match;
  if (whole === '' && decimals === '') return undefined;
  const value = thousandths(BigInt(whole + decimals), decimals.length, suffix);
  return sign === '-' ? -value : value;
}

function thousandths(digits: bigint, decimals: number, suffix: string): bigint {
  const binary = BINARY.indexOf(suffix) + 1;
  const exponent = (binary > 0 ? 0 : decimalExponent(suffix)) + 3 - decimals;
  const scaled = digits * 1024n ** BigInt(binary);
  return exponent >= 0 ? scaled * 10n ** BigInt(exponent) : divideUp(scaled, 10n ** BigInt(-exponent));
}

/** Negative, zero or positive, as `a` is smaller than, equal to or larger than `b`. Throws where one is no quantity. */
export function compareQuantity(a: string | number, b: string | number): number {
  const left = parseQuantity(a);
  const right = parseQuantity(b);
  if (left === undefined || right === undefined)
    throw new RangeError(`not a quantity: ${left === undefined ? a : b}`);
  if (left === right) return 0;
  return left < right ? -1 : 1;
}

/**
 * Text of an amount in thousandths, the shortest that is exact: `1500m`, `2`, and with `binary` such as `4Gi`. Amounts
 * are never negative here.
 */
export function formatQuantity(thousandths: bigint, binary = false): string {
  if (thousandths % 1000n !== 0n) return `${thousandths}m`;
  const whole = thousandths / 1000n;
  if (!binary || whole === 0n) return String(whole);
  const steps = BINARY.findLastIndex((_, i) => whole % 1024n ** BigInt(i + 1) === 0n) + 1;
  return `${whole / 1024n ** BigInt(steps)}${BINARY[steps - 1] ?? ''}`;
}

function decimalExponent(suffix: string): number {
  return suffix.length > 1 ? Number(suffix.slice(1)) : (DECIMAL[suffix] ?? 0);
}

function divideUp(value: bigint, by: bigint): bigint {
  return (value + by - 1n) / by;
}

/** Decimal text of a number; JavaScript writes large and small ones in a form with `e+`, which is legal here too. */
function plain(value: number): string {
  return String(value).replace('e+', 'e');
}
