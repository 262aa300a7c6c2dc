// SPDX-License-Identifier: Apache-2.0
import type { Violation } from '../../meta/violation.ts';
import type { PolicyInput } from '../check.ts';
import { admits, imagesOf } from './registries.ts';

/** allowedAgentImages: every image in the pod of an agent sandbox is listed; approvedRegistries are asked as well. */
export function checkAgentImages(input: PolicyInput): Violation[] {
  if (input.resolved.spec?.mode !== 'agent') return [];
  return input.policy.allowedAgentImages.flatMap((bound) =>
    imagesOf(input).flatMap(({ field, reference }): Violation[] => {
      if (bound.value.some((entry) => admits(entry, reference))) return [];
      const limit = bound.value.join(', ');
      const message = `image ${reference} is not one that the ${bound.scope} policy allows for agents: ${limit}`;
      return [
        { code: 'agent_image_not_approved', field, message, limit, actual: reference, scope: bound.scope },
      ];
    }),
  );
}
