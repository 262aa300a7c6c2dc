// SPDX-License-Identifier: Apache-2.0
import { html, nothing } from 'lit';
import { shownName } from '../../data/filePaths.ts';
import type { FolderEntry } from '../../data/files.ts';
import { sizeText } from '../../text/numbers.ts';
import type { TextKey } from '../../text/text.ts';
import { iconOf } from './icons.ts';
import type { Column, Order } from './order.ts';

/** What is given a name: a new folder, or something that has one. */
export type Naming = { readonly kind: 'folder' } | { readonly kind: 'rename'; readonly name: string };

/** What the table needs of its element. */
export interface Desk {
  readonly lang: string;
  readonly readonly: boolean;
  readonly naming: Naming | undefined;
  /** What is wrong with the name that was typed; empty = nothing. */
  readonly nameIssue: string;
  say(key: TextKey, params?: Readonly<Record<string, string | number>>): string;
  sort(by: Column): void;
  open(entry: FolderEntry): void;
  download(entry: FolderEntry): void;
  remove(entry: FolderEntry): void;
  startNaming(naming: Naming | undefined): void;
  named(text: string): void;
}

export function tableHead(desk: Desk, { by, descending }: Order) {
  const head = (column: Column, text: string, kind: string) => html`<th
    class=${kind}
    aria-sort=${by === column ? (descending ? 'descending' : 'ascending') : nothing}
  >
    <button @click=${() => desk.sort(column)}>${text}</button>
  </th>`;
  return html`<thead>
    <tr>
      ${head('name', desk.say('files.name'), '')} ${head('size', desk.say('files.size'), 'number')}
      ${head('changed', desk.say('files.changed'), 'changed')}
      <th><span class="visually-hidden">${desk.say('files.actions')}</span></th>
    </tr>
  </thead>`;
}

export function tableRow(desk: Desk, entry: FolderEntry) {
  const { name, type, isDir, size, modifiedAt } = entry;
  const { naming } = desk;
  const isNamed = naming?.kind === 'rename' && naming.name === name;
  const changed = new Date(modifiedAt * 1000);
  return html`<tr class=${type} data-name=${name}>
    <td class="wide">
      ${
        isNamed
          ? namingForm(desk, shownName(name), desk.say('files.newName', { name: shownName(name) }))
          : html`<button class="name" @click=${() => desk.open(entry)}>
            ${iconOf(entry)}<span class="visually-hidden">${desk.say(`files.${type}`)}</span>
            <span>${shownName(name)}</span>
          </button>`
      }
    </td>
    <td class="number">${isDir ? '–' : sizeText(size, desk.lang)}</td>
    <td class="changed">
      <time datetime=${changed.toISOString()}>${changed.toLocaleString(desk.lang || undefined, SHORT)}</time>
    </td>
    <td class="do">${isNamed ? nothing : actions(desk, entry)}</td>
  </tr>`;
}

const SHORT: Intl.DateTimeFormatOptions = { dateStyle: 'medium', timeStyle: 'short' };

function actions(desk: Desk, entry: FolderEntry) {
  const of = (key: TextKey): string =>
    desk.say('files.ofName', { action: desk.say(key), name: shownName(entry.name) });
  const take = entry.isDir ? 'files.zip' : 'files.download';
  return html`${
    entry.isDir || entry.type === 'file'
      ? html`<button class="quiet" aria-label=${of(take)} @click=${() => desk.download(entry)}>
          ${desk.say('files.download')}
        </button>`
      : nothing
  }
    ${
      desk.readonly
        ? nothing
        : html`<button
            class="quiet"
            aria-label=${of('files.rename')}
            @click=${() => desk.startNaming({ kind: 'rename', name: entry.name })}
          >
            ${desk.say('files.rename')}
          </button>
          <button class="quiet danger" aria-label=${of('action.delete')} @click=${() => desk.remove(entry)}>
            ${desk.say('action.delete')}
          </button>`
    }`;
}

/** Enter takes the name, Escape leaves things as they are. */
export function namingForm(desk: Desk, value: string, label: string) {
  const { nameIssue } = desk;
  return html`<form
    class="naming"
    @submit=${(event: SubmitEvent) => {
      event.preventDefault();
      const form = event.target as HTMLFormElement;
      desk.named((form.elements.namedItem('name') as HTMLInputElement).value);
    }}
    @keydown=${(event: KeyboardEvent) => {
      event.stopPropagation();
      if (event.key === 'Escape') desk.startNaming(undefined);
    }}
  >
    <input
      name="name"
      aria-label=${label}
      placeholder=${label}
      .value=${value}
      autocomplete="off"
      spellcheck="false"
      aria-invalid=${nameIssue ? 'true' : 'false'}
    />
    <button class="primary">${desk.say('fileEditor.save')}</button>
    <button type="button" @click=${() => desk.startNaming(undefined)}>${desk.say('action.cancel')}</button>
    ${nameIssue ? html`<span class="problem" role="alert">${nameIssue}</span>` : nothing}
  </form>`;
}
