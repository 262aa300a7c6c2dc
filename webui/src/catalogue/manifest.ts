// SPDX-License-Identifier: Apache-2.0
import manifest from '../../custom-elements.json';
import type { Tags } from '../generated/tags.ts';

export interface Named {
  readonly name: string;
  readonly description: string;
}

/** What the custom elements manifest says of one element. */
export interface Declaration {
  readonly tagName: keyof Tags;
  readonly description: string;
  readonly attributes: readonly Named[];
  readonly members: readonly (Named & { readonly kind: string })[];
  readonly events: readonly Named[];
  readonly slots: readonly Named[];
  readonly cssParts: readonly Named[];
  readonly cssProperties: readonly Named[];
}

export const DECLARATIONS = manifest.modules.flatMap(
  ({ declarations }) => declarations as unknown as readonly Declaration[],
);
