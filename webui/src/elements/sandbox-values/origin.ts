// SPDX-License-Identifier: Apache-2.0
import { ORIGIN_DEFAULT, ORIGIN_SANDBOX } from '@agenttier/crds/template/merge';
import type { Say } from '../../parts/states.ts';

/** Who set a value: a template by its name, or in words. */
export function originText(say: Say, origin: string): string {
  if (origin === ORIGIN_SANDBOX) return say('values.sandbox');
  if (origin === ORIGIN_DEFAULT) return say('values.default');
  return origin.slice(origin.indexOf('/') + 1);
}
