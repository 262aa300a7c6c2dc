// SPDX-License-Identifier: Apache-2.0
import { parseImage } from '../../meta/imageReference.ts';
import type { Violation } from '../../meta/violation.ts';
import type { PolicyInput } from '../check.ts';
import { imagesOf } from './registries.ts';

/** The digests that registries give out, in full: part of one names nothing. */
const WHOLE = /^(sha256:[0-9a-f]{64}|sha512:[0-9a-f]{128})$/;

/** requireDigest: every image of the pod that a user or template chose is named by what it contains, not by a tag. */
export function checkDigest(input: PolicyInput): Violation[] {
  const bound = input.policy.requireDigest;
  if (bound === undefined) return [];
  return imagesOf(input).flatMap(({ field, reference }): Violation[] => {
    if (WHOLE.test(parseImage(reference)?.digest ?? '')) return [];
    const message = `image ${reference} has no digest, which the ${bound.scope} policy requires: write name@sha256:...`;
    return [{ code: 'image_digest_required', field, message, actual: reference, scope: bound.scope }];
  });
}
