// SPDX-License-Identifier: Apache-2.0
import type { EventDetails } from './details.ts';
import type { Tags } from './generated/tags.ts';

/** What scripts may set on an element. */
export type Properties<Tag extends keyof Tags> = Partial<
  Pick<Tags[Tag]['element'], Tags[Tag]['properties'] & keyof Tags[Tag]['element']>
>;

/** Attributes that are written otherwise than their properties: `sandbox-id` for `sandboxId`. */
export type Attributes<Tag extends keyof Tags> = {
  [Name in keyof Tags[Tag]['attributes']]?: Tags[Tag]['attributes'][Name] extends keyof Tags[Tag]['element']
    ? Tags[Tag]['element'][Tags[Tag]['attributes'][Name]]
    : never;
};

export type EventsOf<Tag extends keyof Tags> = Tags[Tag]['events'];

export type EventOf<Name extends keyof EventDetails> = CustomEvent<EventDetails[Name]>;
