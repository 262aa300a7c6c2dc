// SPDX-License-Identifier: Apache-2.0
import type { EffectiveSpec } from '@agenttier/crds/generated/types';
import { imageOf } from '@agenttier/crds/meta/imageReference';
import { resolve } from '@agenttier/crds/template/merge';
import type { TemplateLookup, TemplateObject } from '@agenttier/crds/template/compose';
import { chainOf } from '../template/status.ts';

/** A template together with how often it is used; the most used images are pulled first. */
export interface TemplateUse {
  readonly template: TemplateObject;
  readonly usedBy: number;
}

export interface ImageWishes {
  readonly templates: readonly TemplateUse[];
  readonly lookup: TemplateLookup;
  /** Of the installation: pulled before those of templates. */
  readonly extra: readonly string[];
  /** Secrets that the pulling pods have; an image that needs another cannot be pulled by them. */
  readonly pullSecrets: readonly string[];
}

/** A pod with more init containers than this is unwieldy; images beyond are left to the first sandbox. */
export const MAX_IMAGES = 50;

/**
 * The images to have on every node, each once: what the installation names, then those of all templates as they come out
 * of their chains, the most used first. Left out are images that may only be pulled with a Secret of some namespace.
 */
export function imagesToPull({ templates, lookup, extra, pullSecrets }: ImageWishes): string[] {
  const known = new Set(pullSecrets);
  const byUse = templates.toSorted((a, b) => b.usedBy - a.usedBy || nameOf(a).localeCompare(nameOf(b)));
  const wanted = byUse.flatMap(({ template }) => {
    const composition = chainOf(template, lookup);
    if (!composition.ok) return [];
    const { spec = {} } = resolve({}, composition.chain).resolved;
    const secret = spec.image?.pullSecret;
    return secret && !known.has(secret) ? [] : imagesOf(spec);
  });
  return [...new Set([...extra, ...wanted])].slice(0, MAX_IMAGES);
}

const nameOf = ({ template: { kind, metadata } }: TemplateUse): string =>
  `${kind}/${metadata.namespace ?? ''}/${metadata.name ?? ''}`;

function imagesOf({ image, sidecars = [], initContainers = [] }: EffectiveSpec): string[] {
  const main = image?.repository ? [imageOf(image)] : [];
  return [...main, ...[...sidecars, ...initContainers].flatMap((one) => one.image ?? [])];
}
