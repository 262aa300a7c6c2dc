// SPDX-License-Identifier: Apache-2.0
import { parseQuantity } from '@agenttier/crds/meta/quantity';
import type { EffectiveLimit, UsageRow } from '../../data/policies.ts';
import { valueText } from '../../parts/valueText.ts';

const amountOf = (value: string | number | undefined): number => Number(parseQuantity(value ?? 0) ?? 0n);

/** The part of a limit that is used or held; undefined = nothing is set. */
export function usedShare({
  used,
  reserved,
  limit,
}: Pick<UsageRow, 'used' | 'reserved' | 'limit'>): number | undefined {
  const most = amountOf(limit);
  if (most === 0) return undefined;
  return Math.min(1, (amountOf(used) + amountOf(reserved)) / most);
}

/** A limit as people write it: lists by commas. */
export const limitText = ({ value }: Pick<EffectiveLimit, 'value'>): string => valueText(value);
