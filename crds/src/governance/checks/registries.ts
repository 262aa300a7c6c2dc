// SPDX-License-Identifier: Apache-2.0
import { imageOf, parseImage, splitHost, splitTag, type ImageReference } from '../../meta/imageReference.ts';
import type { Violation } from '../../meta/violation.ts';
import type { PolicyInput } from '../check.ts';
import { withoutTrailing } from '../../meta/trailing.ts';

/** An entry that is a registry and nothing more: a name with a dot, a port, or `localhost`. */
const HOST_ONLY = /^(localhost|[^/:]*\.[^/:]*|[^/:]+:[0-9]+|[^/:]*\.[^/]*:[0-9]+)$/;

export interface CheckedImage {
  readonly field: string;
  readonly reference: string;
}

/** approvedRegistries: every image of the pod that a user or template chose is under an approved entry. */
export function checkRegistries(input: PolicyInput): Violation[] {
  return input.policy.approvedRegistries.flatMap((bound) =>
    imagesOf(input).flatMap(({ field, reference }) => {
      if (bound.value.some((entry) => admits(entry, reference))) return [];
      const limit = bound.value.join(', ');
      const message = `image ${reference} is not from a registry that the ${bound.scope} policy approves: ${limit}`;
      return [
        { code: 'image_registry_not_approved', field, message, limit, actual: reference, scope: bound.scope },
      ];
    }),
  );
}

/**
 * Whether an entry admits an image. An entry is a host, host/path or host/path:tag; `*` stands for one path segment.
 * Both are normalised the way Docker reads them and compared segment by segment, so ghcr.io/acme does not admit
 * ghcr.io/acme-evil/tool.
 */
export function admits(entry: string, reference: string): boolean {
  const image = parseImage(reference);
  if (image === undefined) return false;
  const { segments, tag } = parseEntry(entry);
  const actual = [image.registry, ...image.path.split('/')];
  if (segments.length > actual.length) return false;
  if (!segments.every((segment, i) => segment === '*' || segment === actual[i])) return false;
  return tag === undefined || (segments.length === actual.length && sameTag(tag, image));
}

function parseEntry(entry: string): { segments: readonly string[]; tag?: string } {
  const trimmed = withoutTrailing(entry, '/');
  if (trimmed === '*') return { segments: ['*'] };
  if (HOST_ONLY.test(trimmed)) return { segments: [splitHost(`${trimmed}/`).registry] };
  const { name, ...tag } = splitTag(trimmed);
  if (name.startsWith('*/')) return { segments: name.split('/'), ...tag };
  const { registry, rest } = splitHost(name);
  // One word is an official image of Docker Hub, one word with a slash behind it an organisation there.
  const official = registry === 'docker.io' && !rest.includes('/') && !entry.includes('/');
  return { segments: [registry, ...(official ? ['library'] : []), ...rest.split('/')], ...tag };
}

/** An image without tag and digest is `latest` to every runtime; one with a digest has no tag that counts. */
function sameTag(tag: string, image: ImageReference): boolean {
  return image.digest === undefined && tag === (image.tag ?? 'latest');
}

/** Every image of the pod that a user or template chose. */
export function imagesOf({ resolved }: PolicyInput): CheckedImage[] {
  const spec = resolved.spec;
  const images: CheckedImage[] = [];
  if (spec?.image?.repository !== undefined) {
    images.push({ field: 'spec.image.repository', reference: imageOf(spec.image) });
  }
  for (const list of ['initContainers', 'sidecars'] as const) {
    for (const [i, container] of (spec?.[list] ?? []).entries()) {
      images.push({ field: `spec.${list}[${i}].image`, reference: container.image });
    }
  }
  return images;
}
