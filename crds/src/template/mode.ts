// SPDX-License-Identifier: Apache-2.0
import type { EffectiveSpec } from '../generated/types.ts';
import type { Merged } from './volume.ts';

/** Origin of what was fixed when the sandbox was made, whatever templates say by now. */
export const ORIGIN_CREATION = 'creation';

/** What a sandbox is for does not change in its life: not by a resume either, when its template has changed. */
export function keepMode({ spec, origins, warnings }: Merged, mode: EffectiveSpec['mode']): Merged {
  if (mode === undefined || spec.mode === mode || origins['mode'] === 'Sandbox') {
    return { spec, origins, warnings };
  }
  const warning = `spec.mode stays ${mode}, as the sandbox was made; templates now say ${spec.mode ?? 'nothing'}`;
  return {
    spec: { ...spec, mode },
    origins: { ...origins, mode: ORIGIN_CREATION },
    warnings: [...warnings, warning],
  };
}
