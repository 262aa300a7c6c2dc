// SPDX-License-Identifier: Apache-2.0
import type { ElementSource, Field, Tagged } from './source.ts';

/** The custom elements manifest, version 2.1.0, as editors and documentation tools read it. */
export function renderManifest(elements: readonly ElementSource[], shared: readonly Field[]): string {
  const modules = elements.map((element) => ({
    kind: 'javascript-module',
    path: `src/elements/${element.path}`,
    declarations: [declarationOf(element, shared)],
    exports: [
      { kind: 'custom-element-definition', name: element.tag, declaration: { name: element.className } },
    ],
  }));
  return `${JSON.stringify({ schemaVersion: '2.1.0', modules }, undefined, 2)}\n`;
}

function declarationOf(element: ElementSource, shared: readonly Field[]): object {
  // A provider stands for itself; all others take what elements share.
  const fields = [...element.fields, ...(element.isOurs ? shared : [])];
  return {
    kind: 'class',
    name: element.className,
    tagName: element.tag,
    customElement: true,
    description: element.description,
    attributes: fields.flatMap(({ attribute, name, type, description }) =>
      attribute === undefined ? [] : [{ name: attribute, fieldName: name, ...typed(type), description }],
    ),
    members: [
      ...fields.map(({ attribute: _attribute, type, ...field }) => ({
        kind: 'field',
        ...field,
        ...typed(type),
      })),
      ...element.methods.map(({ name, description }) => ({ kind: 'method', name, description })),
    ],
    events: element.events.map((event) => ({ ...event, type: { text: 'CustomEvent' } })),
    slots: element.slots,
    cssParts: element.parts,
    cssProperties: element.cssProperties,
  };
}

const typed = (text: string | undefined): object => (text === undefined ? {} : { type: { text } });

const HEAD = `| Element | Attributes and properties | Methods | Events | Slots and parts |
|---|---|---|---|---|
`;

/** The table of the page about elements. */
export const renderTable = (elements: readonly ElementSource[]): string =>
  HEAD +
  elements
    .map((element) => {
      const cells = [
        `\`${element.tag}\`: ${element.description}`,
        element.fields
          .map(({ attribute, name }) => (attribute ? `\`${attribute}\`` : `\`.${name}\``))
          .join(', '),
        element.methods.map(({ name, parameters }) => `\`${name}(${namesOf(parameters)})\``).join(' '),
        listOf(element.events),
        listOf([...element.slots.map(slotOf), ...element.parts]),
      ];
      return `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |\n`;
    })
    .join('');

const slotOf = ({ name, description }: Tagged): Tagged => ({ name: name || 'default slot', description });

const listOf = (tagged: readonly Tagged[]): string =>
  tagged.map(({ name, description }) => `\`${name}\`${description && ` ${description}`}`).join('; ');

/** Of `path: string, isFolder = false` the names, with a mark at those that may be left out. */
const namesOf = (parameters: string): string =>
  [...parameters.matchAll(/(?:^|, )(\w+)(\?)?(?::[^,=]*)?( =)?/g)]
    .map(([, name, optional, preset]) => `${name}${optional || preset ? '?' : ''}`)
    .join(', ');
