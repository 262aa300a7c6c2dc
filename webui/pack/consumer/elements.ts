// SPDX-License-Identifier: Apache-2.0
/** A page of somebody else with one element, and what JSX and a template of Vue may know of it. */
import '@agenttier/elements/terminal';
import { registerText } from '@agenttier/elements/text';
import '@agenttier/elements/react';
import '@agenttier/elements/vue';
import type { JSX } from 'react';
import type { GlobalComponents } from 'vue';

registerText('de', { 'action.create': 'Sandbox anlegen' });

const terminal = document.createElement('agenttier-terminal');
terminal.sandboxId = 'box';
terminal.addEventListener('agenttier-error', ({ detail }) => document.body.append(detail.message));
terminal.addEventListener('agenttier-terminal-title', ({ detail }) => {
  // @ts-expect-error a title is a text
  terminal.fontSize = detail.title;
});
// @ts-expect-error a size is a number
terminal.fontSize = 'large';

type InTemplate = InstanceType<GlobalComponents['agenttier-terminal']>['$props'];

export const given: InTemplate = { 'sandbox-id': 'box', namespace: 'team' };
// @ts-expect-error no such property
export const wrong: InTemplate = { sandboxID: 'box' };

type InJsx = JSX.IntrinsicElements['agenttier-terminal'];

export const listened: InJsx = {
  'onagenttier-terminal-title': ({ detail }) => document.title === detail.title,
};
// @ts-expect-error a title has no state
export const deaf: InJsx = { 'onagenttier-terminal-title': ({ detail }) => detail.state };
