// SPDX-License-Identifier: Apache-2.0
import type { Violation } from '../../meta/violation.ts';
import type { PolicyInput } from '../check.ts';

const FIELD = 'spec.storage.storageClass';

/**
 * allowedStorageClasses: the class is listed. A sandbox that names none gets the default class of the cluster, which
 * admission cannot know for sure, so it has to name one.
 */
export function checkStorageClasses({ policy, resolved }: PolicyInput): Violation[] {
  const actual = resolved.spec?.storage?.storageClass ?? '';
  return policy.allowedStorageClasses.flatMap((bound) => {
    if (bound.value.includes(actual)) return [];
    const limit = bound.value.join(', ');
    const is = actual === '' ? 'not set' : actual;
    const message = `${FIELD} is ${is}, the ${bound.scope} policy allows only ${limit}`;
    return [{ code: 'storage_class_not_allowed', field: FIELD, message, limit, actual, scope: bound.scope }];
  });
}
