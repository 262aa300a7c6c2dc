// SPDX-License-Identifier: Apache-2.0
import { autocompletion } from '@codemirror/autocomplete';
import type { Completion, CompletionContext, CompletionResult } from '@codemirror/autocomplete';
import type { Extension } from '@codemirror/state';
import { hoverTooltip } from '@codemirror/view';
import type { EditorView, Tooltip } from '@codemirror/view';
import { fieldAt } from '@agenttier/crds/meta/fieldSchema';
import type { FieldSchema } from '@agenttier/crds/meta/fieldSchema';
import { offersAt, typeText } from './offers.ts';
import { nameAt, placeAt } from './place.ts';

/** Names and values to choose from while one types, and what a name is for under the pointer. */
export const assistance = (schema: FieldSchema): Extension => [
  autocompletion({ override: [(context) => complete(schema, context)], icons: false }),
  hoverTooltip((view, position) => describe(schema, view, position)),
];

function complete(schema: FieldSchema, { state, pos, explicit }: CompletionContext): CompletionResult | null {
  const place = placeAt(state.sliceDoc(), pos);
  // A list that opens by itself on each new line is in the way; after a colon it is what one waits for.
  if (place === undefined || (place.word === '' && place.field === undefined && !explicit)) return null;
  const options = offersAt(schema, place).map(
    ({ label, insert, kind, type, description }): Completion => ({
      label,
      apply: insert,
      type: kind === 'name' ? 'property' : 'enum',
      detail: type,
      ...(description === undefined ? {} : { info: description }),
    }),
  );
  return options.length === 0 ? null : { from: place.from, options, validFor: /^[\w.-]*$/ };
}

function describe(schema: FieldSchema, view: EditorView, position: number): Tooltip | null {
  const name = nameAt(view.state.sliceDoc(), position);
  const field = name && fieldAt(schema, name.steps);
  if (name === undefined || field === undefined || position > name.to) return null;
  const steps = name.steps.filter((step) => step !== '[]').join('.');
  return { pos: name.from, end: name.to, above: true, create: () => ({ dom: card(steps, field) }) };
}

function card(name: string, field: FieldSchema): HTMLElement {
  const dom = document.createElement('div');
  dom.className = 'cm-about';
  const head = document.createElement('b');
  head.textContent = name;
  const type = document.createElement('span');
  type.textContent = ` ${typeText(field)}`;
  const about = document.createElement('p');
  about.textContent = field.description ?? '';
  dom.append(head, type, about);
  return dom;
}
