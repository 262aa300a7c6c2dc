// SPDX-License-Identifier: Apache-2.0
import type { EffectiveSpec } from '../generated/types.ts';
import { compareQuantity, parseQuantity } from '../meta/quantity.ts';
import type { Violation } from '../meta/violation.ts';
import { domainConflict } from './network.ts';

/** What no layer can be blamed for alone: the merged spec names an image, and its requests fit into its limits. */
export function effectiveViolations(spec: EffectiveSpec): Violation[] {
  return [...imageViolations(spec), ...requestViolations(spec), ...domainConflict(spec)];
}

function imageViolations({ image }: EffectiveSpec): Violation[] {
  if (image?.repository !== undefined) return [];
  const field = 'spec.image.repository';
  return [
    {
      code: 'image_required',
      field,
      message: `${field} is required: neither the sandbox nor a template names an image`,
    },
  ];
}

function requestViolations({ resources }: EffectiveSpec): Violation[] {
  return Object.entries(resources?.requests ?? {}).flatMap(([name, request]): Violation[] => {
    const limit = resources?.limits?.[name];
    if (limit === undefined || parseQuantity(limit) === undefined || parseQuantity(request) === undefined)
      return [];
    if (compareQuantity(request, limit) <= 0) return [];
    const field = `spec.resources.requests.${name}`;
    const message = `${field} is ${request} after the merge, more than the limit of ${limit}`;
    return [{ code: 'invalid_value', field, message, limit: String(limit), actual: String(request) }];
  });
}
