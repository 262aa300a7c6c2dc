// SPDX-License-Identifier: Apache-2.0
/** Types of all elements for JSX of React 19 and later: `import '@agenttier/elements/react'`. */
import type { DetailedHTMLProps, HTMLAttributes } from 'react';
import type { Attributes, EventOf, EventsOf, Properties } from './tags.ts';
import type { Tags } from './generated/tags.ts';

/** React listens to `agenttier-error` where a property is named `onagenttier-error`. */
type Listeners<Tag extends keyof Tags> = {
  [Name in EventsOf<Tag> as `on${Name}`]?: (event: EventOf<Name>) => void;
};

type ReactElements = {
  [Tag in keyof Tags]: Omit<
    DetailedHTMLProps<HTMLAttributes<Tags[Tag]['element']>, Tags[Tag]['element']>,
    keyof Properties<Tag>
  > &
    Properties<Tag> &
    Attributes<Tag> &
    Listeners<Tag>;
};

declare module 'react' {
  namespace JSX {
    interface IntrinsicElements extends ReactElements {}
  }
}
