// SPDX-License-Identifier: Apache-2.0
import type { ElementSource, Field } from './source.ts';

const HEAD = `// SPDX-License-Identifier: Apache-2.0
// Made by webui/generate.ts from the elements.
`;

/** Events of every element that takes what elements share. */
const SHARED_EVENTS = ['agenttier-error'];

/** What frameworks have to know of each tag, as types: its class, what can be set and under which names, its events. */
export function renderTags(elements: readonly ElementSource[], shared: readonly Field[]): string {
  const imports = elements.map(
    ({ className, path }) => `import type { ${className} } from '../elements/${path}';\n`,
  );
  const tags = elements.map((element) => tagOf(element, element.isOurs ? shared : []));
  return `${HEAD}${imports.join('')}
export interface Tags {
${tags.join('')}}
`;
}

/** Events for `addEventListener`, on whatever element of a page they are listened for. */
export function renderEvents(elements: readonly ElementSource[]): string {
  const told = elements.flatMap(({ events }) => events.map(({ name }) => name));
  const names = [...new Set([...SHARED_EVENTS, ...told])].toSorted();
  return `${HEAD}import type { EventDetails } from '../details.ts';

declare global {
  interface HTMLElementEventMap {
${names.map((name) => `    '${name}': CustomEvent<EventDetails['${name}']>;\n`).join('')}  }
}

export {};
`;
}

function tagOf({ tag, className, fields, events, isOurs }: ElementSource, shared: readonly Field[]): string {
  const settable = [...fields, ...shared].filter((field) => field.readonly !== true);
  const renamed = settable.filter(({ attribute, name }) => attribute !== undefined && attribute !== name);
  const told = [...events.map(({ name }) => name), ...(isOurs ? SHARED_EVENTS : [])];
  return `  '${tag}': {
    element: ${className};
    properties: ${unionOf(settable.map(({ name }) => name))};
    attributes: {${renamed.map(({ attribute, name }) => ` '${attribute}': '${name}';`).join('')} };
    events: ${unionOf(told)};
  };
`;
}

const unionOf = (names: readonly string[]): string =>
  names.length === 0 ? 'never' : names.map((name) => `'${name}'`).join(' | ');
