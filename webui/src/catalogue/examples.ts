// SPDX-License-Identifier: Apache-2.0
import type { Tags } from '../generated/tags.ts';
import type { Properties } from '../tags.ts';
import { SANDBOX } from './answers.ts';

export interface Example<Tag extends keyof Tags> {
  /** What is set on it beside the server. */
  readonly set?: Properties<Tag>;
  /** What the page does with it once it has been drawn: a dialog is asked for by a button. */
  readonly act?: { readonly label: string; readonly run: (element: Tags[Tag]['element']) => void };
  /** What is put into it. */
  readonly inside?: keyof Tags;
}

const notebook = { sandboxId: 'notebook', namespace: 'team' };

/** An example of each element; the dashboard itself is a page and needs none. */
export const EXAMPLES: { readonly [Tag in Exclude<keyof Tags, 'agenttier-app'>]: Example<Tag> } = {
  'agenttier-activity-log': {},
  'agenttier-agent-panel': { set: notebook },
  'agenttier-api-keys': {},
  'agenttier-backups': { set: notebook },
  'agenttier-cluster-capacity': {},
  'agenttier-cluster-glance': {},
  'agenttier-command-palette': {
    set: { commands: [{ id: 'help', text: 'Help', hint: 'Page' }] },
    act: { label: 'Open the palette', run: (element) => void element.show() },
  },
  'agenttier-connection': {},
  'agenttier-cost-estimator': {},
  'agenttier-create-sandbox': {
    act: { label: 'Create a sandbox', run: (element) => element.show('minimal-shell') },
  },
  'agenttier-effective-policy': {
    set: {
      view: {
        namespace: 'team',
        policy: { maxCpu: '4' },
        fields: [{ field: 'maxCpu', value: '4', scope: 'cluster' }],
      },
    },
  },
  'agenttier-file-browser': { set: notebook },
  'agenttier-file-editor': { set: { ...notebook, path: '/workspace/notes.txt' } },
  'agenttier-governance-editor': {},
  'agenttier-headroom': {},
  'agenttier-login': { set: { config: { mode: 'keys' } } },
  'agenttier-metrics': {},
  'agenttier-notices': {
    act: { label: 'Show a notice', run: (element) => element.add('Something has been done.') },
  },
  'agenttier-port-forwards': { set: notebook },
  'agenttier-provider': { inside: 'agenttier-cluster-glance' },
  'agenttier-sandbox-card': { set: { sandbox: SANDBOX } },
  'agenttier-sandbox-limits': { set: { sandbox: SANDBOX } },
  'agenttier-sandbox-list': {},
  'agenttier-sandbox-settings': { set: notebook },
  'agenttier-sandbox-values': { set: notebook },
  'agenttier-sharing': { set: notebook },
  'agenttier-status-badge': { set: { phase: 'Running' } },
  'agenttier-templates': {},
  'agenttier-terminal': { set: notebook },
  'agenttier-warm-pools': {},
  'agenttier-webhooks': {},
  'agenttier-yaml-editor': { set: { value: 'description: A shell\n', label: 'Specification' } },
};
