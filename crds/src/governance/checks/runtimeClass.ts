// SPDX-License-Identifier: Apache-2.0
import type { Violation } from '../../meta/violation.ts';
import type { PolicyInput } from '../check.ts';

const FIELD = 'spec.runtimeClass';

/** requiredRuntimeClass: the pod runs under it. */
export function checkRuntimeClass({ policy, resolved }: PolicyInput): Violation[] {
  const actual = resolved.spec?.runtimeClass ?? '';
  return policy.requiredRuntimeClass.flatMap((bound) => {
    if (actual === bound.value) return [];
    const is = actual === '' ? 'not set' : actual;
    const message = `${FIELD} is ${is}, the ${bound.scope} policy requires ${bound.value}`;
    return [
      {
        code: 'runtime_class_required',
        field: FIELD,
        message,
        limit: bound.value,
        actual,
        scope: bound.scope,
      },
    ];
  });
}
