// SPDX-License-Identifier: Apache-2.0
/** Types of all elements for templates of Vue 3.5 and later: `import '@agenttier/elements/vue'`. */
import type { EmitFn, HTMLAttributes, PublicProps } from 'vue';
import type { Attributes, EventOf, EventsOf, Properties } from './tags.ts';
import type { Tags } from './generated/tags.ts';

type VueElements = {
  [Tag in keyof Tags]: new () => Tags[Tag]['element'] & {
    /** What a template reads: an element of the page has none of these at run time. */
    $props: HTMLAttributes & Properties<Tag> & Attributes<Tag> & PublicProps;
    $emit: EmitFn<{ [Name in EventsOf<Tag>]: (event: EventOf<Name>) => void }>;
  };
};

declare module 'vue' {
  interface GlobalComponents extends VueElements {}
}
