// SPDX-License-Identifier: Apache-2.0
import { parseCidr } from '@agenttier/crds/meta/cidr';
import type { Cidr } from '@agenttier/crds/meta/cidr';
import type { BucketLimits } from './bucket.ts';

/** How much may be asked of one replica. A rate of 0 limits nothing. */
export interface RateLimits {
  readonly perAddress: BucketLimits;
  readonly perUser: BucketLimits;
  /** Credentials from one address that turned out not to be good. */
  readonly failures: BucketLimits;
  /** Proxies whose X-Forwarded-For is believed. */
  readonly trustedProxies: readonly Cidr[];
}

type Environment = Readonly<Record<string, string | undefined>>;

export function readRateLimits(env: Environment, problems: string[]): RateLimits {
  const number = (name: string, fallback: number): number => readNumber(env, name, fallback, problems);
  return {
    perAddress: {
      perSecond: number('RATE_LIMIT_PER_ADDRESS', 0),
      burst: number('RATE_LIMIT_PER_ADDRESS_BURST', 30),
    },
    perUser: {
      perSecond: number('RATE_LIMIT_PER_USER', 0),
      burst: number('RATE_LIMIT_PER_USER_BURST', 100),
    },
    failures: {
      perSecond: number('RATE_LIMIT_FAILED_SIGN_INS', 5),
      burst: number('RATE_LIMIT_FAILED_SIGN_INS_BURST', 100),
    },
    trustedProxies: readRanges(env['TRUSTED_PROXIES'] ?? '', problems),
  };
}

function readNumber(env: Environment, name: string, fallback: number, problems: string[]): number {
  const text = env[name];
  if (text === undefined || text === '') return fallback;
  const value = Number(text);
  // A burst of less than one would let nobody in, ever.
  const least = name.endsWith('_BURST') ? 1 : 0;
  if (Number.isFinite(value) && value >= least && value <= 1_000_000) return value;
  problems.push(`${name} "${text}" is not a number from ${least} to 1000000`);
  return fallback;
}

function readRanges(text: string, problems: string[]): Cidr[] {
  return text
    .split(',')
    .map((part) => part.trim())
    .filter((part) => part !== '')
    .flatMap((part) => {
      const range = parseCidr(part);
      if (range === undefined) problems.push(`TRUSTED_PROXIES "${part}" is not a range such as 10.0.0.0/8`);
      return range ?? [];
    });
}
